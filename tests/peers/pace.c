/* A serial line of real speed between two ptys, or between one pty and sixteen ready devices.
 *
 *   pace BAUD BITS LOG [UNITS]
 *
 * Prints the path for the application and, without UNITS, the path for the device. Each byte is released at the
 * time its last bit would be over, reckoned by absolute deadlines. With UNITS, the units 1...UNITS answer functions
 * 3 and 4 themselves, exactly 3.5 characters after the request: register = unit * 256 + address % 256.
 * LOG gets a line per byte: direction (> from the application, < to it), nanosecond at which it is due, nanosecond
 * at which it was released, value. Ends when stdin ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define ROOM 8192
typedef struct { int64_t due[ROOM]; uint8_t byte[ROOM]; int head, tail; int64_t last; char mark; } Way;

static Way up = {.mark = '>'}, down = {.mark = '<'};
static int64_t character, silence;
static int units;
static FILE *logfile;
static uint8_t heard[256];
static int length;
static int64_t heard_at;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void put(Way *w, int64_t first, const uint8_t *data, int n) { /* first: when the first bit may begin */
    int64_t t = first > w->last ? first : w->last;
    for (int i = 0; i < n; i++) {
        int next = (w->tail + 1) % ROOM;
        if (next == w->head) { fprintf(stderr, "pace: line is full\n"); exit(1); }
        t += character;
        w->due[w->tail] = t;
        w->byte[w->tail] = data[i];
        w->tail = next;
    }
    w->last = t;
}

static uint16_t crc(const uint8_t *p, int n) {
    uint16_t c = 0xFFFF;
    while (n--) {
        c ^= *p++;
        for (int i = 0; i < 8; i++) c = c & 1 ? c >> 1 ^ 0xA001 : c >> 1;
    }
    return c;
}

static void answer(const uint8_t *q, int64_t end) {
    int count = q[4] << 8 | q[5], start = q[2] << 8 | q[3], n = 0;
    uint8_t a[256];
    if (crc(q, 8) != 0 || q[0] < 1 || q[0] > units || (q[1] != 3 && q[1] != 4) || count < 1 || count > 125) return;
    a[n++] = q[0];
    a[n++] = q[1];
    a[n++] = (uint8_t)(2 * count);
    for (int i = 0; i < count; i++) { a[n++] = q[0]; a[n++] = (uint8_t)(start + i); }
    uint16_t c = crc(a, n);
    a[n++] = c & 0xFF;
    a[n++] = c >> 8;
    put(&down, end + silence, a, n);
}

static void hear(uint8_t byte, int64_t due) {
    if (due - heard_at > silence + character) length = 0; /* a silence begins a new frame */
    heard_at = due;
    if (length < (int)sizeof heard) heard[length++] = byte;
    if (length == 8) answer(heard, due);
}

static void release(Way *w, int out, int64_t t) {
    while (w->head != w->tail && w->due[w->head] <= t) {
        uint8_t byte = w->byte[w->head];
        int64_t due = w->due[w->head];
        w->head = (w->head + 1) % ROOM;
        int64_t out_at = now(); /* before the write: who reads it may answer before we run again */
        if (out < 0) hear(byte, due);
        else if (write(out, &byte, 1) != 1 && errno != EAGAIN) perror("pace: write");
        fprintf(logfile, "%c %lld %lld %02x\n", w->mark, (long long)due, (long long)out_at, byte);
    }
}

static int open_pty(void) {
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    struct termios mode;
    if (master < 0 || grantpt(master) || unlockpt(master)) { perror("pace: pty"); exit(1); }
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY); /* stays open: the pty outlives who uses it */
    tcgetattr(slave, &mode);
    cfmakeraw(&mode);
    tcsetattr(slave, TCSANOW, &mode);
    printf("%s\n", ptsname(master));
    return master;
}

static void take(int fd, Way *w) {
    uint8_t data[1024];
    int n = read(fd, data, sizeof data);
    if (n > 0) put(w, now(), data, n);
}

int main(int argc, char **argv) {
    if (argc < 4) { fprintf(stderr, "pace BAUD BITS LOG [UNITS]\n"); return 2; }
    int baud = atoi(argv[1]), bits = atoi(argv[2]);
    units = argc > 4 ? atoi(argv[4]) : 0;
    character = 1000000000LL * bits / baud;
    silence = baud > 19200 ? 1750000 : character * 7 / 2;
    logfile = fopen(argv[3], "w");
    if (!logfile) { perror(argv[3]); return 1; }
    setvbuf(logfile, NULL, _IOFBF, 1 << 20);
    prctl(PR_SET_TIMERSLACK, 1UL);
    struct sched_param ahead = {.sched_priority = 10}; /* a wire does not slow down because a machine is busy */
    sched_setscheduler(0, SCHED_FIFO, &ahead);          /* refused to who may not: then it does */
    int app = open_pty(), device = units ? -1 : open_pty();
    fflush(stdout);
    for (;;) {
        struct pollfd fds[3] = {{0, POLLIN, 0}, {app, POLLIN, 0}, {device, POLLIN, 0}};
        int64_t t = now(), due = -1;
        if (up.head != up.tail) due = up.due[up.head];
        if (down.head != down.tail && (due < 0 || down.due[down.head] < due)) due = down.due[down.head];
        int64_t left = due < 0 ? 20000000 : due > t ? due - t : 0;
        struct timespec pause = {left / 1000000000, left % 1000000000};
        if (ppoll(fds, 3, &pause, NULL) == 0 && due < 0) fflush(logfile);
        if (fds[0].revents) { /* stdin has ended */
            fclose(logfile);
            return 0;
        }
        if (fds[1].revents & POLLIN) take(app, &up);
        if (fds[2].revents & POLLIN) take(device, &down);
        t = now();
        release(&up, device, t);
        release(&down, app, t);
    }
}
