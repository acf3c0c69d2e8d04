/* A very fast Modbus responder for benches: many TCP endpoints in one process.
 *
 *   responder tcp|rtu COUNT [SILENT]
 *
 * Listens on COUNT free ports of 127.0.0.1 and prints them, one a line. Answers functions 3 and 4 of every unit:
 * register N holds N, register 1 counts the reads that saw it, register 0 holds what function 6 wrote there last
 * (per endpoint). Other functions get exception 1. The unit SILENT never answers. Ends when stdin ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MOST 4096
typedef struct { int endpoint, listens, used; uint8_t in[1024]; } Conn;
static Conn *conns[MOST];
static uint16_t zero[MOST], counter[MOST];
static int rtu, loop, silent = -1;
static uint16_t table[256];

static uint16_t crc(const uint8_t *p, int n) {
    uint16_t c = 0xFFFF;
    while (n--) c = c >> 8 ^ table[(c ^ *p++) & 0xFF];
    return c;
}

/* Put the answer to the request PDU `q` at `a`; return its length. */
static int answer(int e, const uint8_t *q, uint8_t *a) {
    int start = q[1] << 8 | q[2], number = q[3] << 8 | q[4];
    a[0] = q[0];
    if (q[0] == 6) {
        if (start == 0) zero[e] = (uint16_t)number;
        memcpy(a, q, 5);
        return 5;
    }
    if ((q[0] != 3 && q[0] != 4) || number < 1 || number > 125) {
        a[0] |= 0x80;
        a[1] = q[0] == 3 || q[0] == 4 ? 3 : 1;
        return 2;
    }
    a[1] = (uint8_t)(2 * number);
    for (int i = 0; i < number; i++) {
        int r = start + i, v = r == 0 ? zero[e] : r == 1 ? counter[e]++ : r;
        a[2 + 2 * i] = (uint8_t)(v >> 8);
        a[3 + 2 * i] = (uint8_t)v;
    }
    return 2 + 2 * number;
}

/* Answer one whole request at `p`; return how many bytes it took, 0 if it is not whole yet, -1 if it is none. */
static int one(int fd, int e, const uint8_t *p, int left) {
    uint8_t out[300];
    int n;
    if (rtu) {
        if (left < 8) return 0;
        if (crc(p, 8)) return -1;
        if (p[0] == silent) return 8;
        out[0] = p[0];
        n = 1 + answer(e, p + 1, out + 1);
        uint16_t c = crc(out, n);
        out[n++] = c & 0xFF;
        out[n++] = c >> 8;
        return write(fd, out, n) == n ? 8 : -1;
    }
    if (left < 12) return 0;
    int whole = 6 + (p[4] << 8 | p[5]);
    if (whole < 12 || whole > 260) return -1;
    if (left < whole) return 0;
    if (p[6] == silent) return whole;
    memcpy(out, p, 7);
    n = answer(e, p + 7, out + 7);
    out[4] = (n + 1) >> 8;
    out[5] = (n + 1) & 0xFF;
    return write(fd, out, 7 + n) == 7 + n ? whole : -1;
}

static void serve(int fd, Conn *c) {
    int got = read(fd, c->in + c->used, sizeof c->in - c->used), at = 0, took = 0;
    if (got > 0) {
        c->used += got;
        while ((took = one(fd, c->endpoint, c->in + at, c->used - at)) > 0) at += took;
        memmove(c->in, c->in + at, c->used -= at);
    }
    if (got <= 0 || took < 0) { close(fd); free(c); conns[fd] = NULL; }
}

static void watch(int fd, int endpoint, int listens) {
    struct epoll_event event = {EPOLLIN, {.fd = fd}};
    if (fd < 0 || fd >= MOST) { fprintf(stderr, "responder: too many connections\n"); exit(1); }
    conns[fd] = calloc(1, sizeof(Conn));
    conns[fd]->endpoint = endpoint;
    conns[fd]->listens = listens;
    epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
}

int main(int argc, char **argv) {
    if (argc < 3) { fprintf(stderr, "responder tcp|rtu COUNT [SILENT]\n"); return 2; }
    if (argc > 3) silent = atoi(argv[3]);
    rtu = !strcmp(argv[1], "rtu");
    loop = epoll_create1(0);
    for (int b = 0; b < 256; b++) {
        uint16_t c = b;
        for (int i = 0; i < 8; i++) c = c & 1 ? c >> 1 ^ 0xA001 : c >> 1;
        table[b] = c;
    }
    for (int e = 0; e < atoi(argv[2]); e++) {
        struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof where;
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (bind(fd, (void *)&where, size) || listen(fd, 16) || getsockname(fd, (void *)&where, &size)) {
            perror("responder");
            return 1;
        }
        printf("%d\n", ntohs(where.sin_port));
        watch(fd, e, 1);
    }
    fflush(stdout);
    struct epoll_event on_stdin = {EPOLLIN, {.fd = 0}}, events[64];
    epoll_ctl(loop, EPOLL_CTL_ADD, 0, &on_stdin);
    for (;;) {
        int n = epoll_wait(loop, events, 64, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd, on = 1;
            Conn *c = conns[fd];
            if (fd == 0) return 0;
            if (!c) continue;
            if (!c->listens) { serve(fd, c); continue; }
            int new = accept(fd, NULL, NULL);
            setsockopt(new, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            if (new >= 0) watch(new, c->endpoint, 0);
        }
    }
}
