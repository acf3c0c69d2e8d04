/* A Modbus server of libmodbus with registers from a file: RTU on a pty, or TCP.
 *
 *   libmodbus_server rtu PATH UNIT FILE      libmodbus_server tcp PORT UNIT FILE
 *
 * FILE holds lines "TABLE ADDRESS VALUE" (coil, discrete, holding, input). Prints "ready" (tcp: the port) and
 * serves until its standard input ends. Build: cc -O2 -o libmodbus_server libmodbus_server.c -lmodbus
 */
#include <errno.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static modbus_mapping_t *load(const char *path) {
    modbus_mapping_t *map = modbus_mapping_new(4096, 4096, 4096, 4096);
    FILE *file = fopen(path, "r");
    char table[16];
    unsigned address, value;
    if (!map || !file) { perror(path); exit(1); }
    while (fscanf(file, "%15s %u %u", table, &address, &value) == 3 && address < 4096) {
        if (!strcmp(table, "coil")) map->tab_bits[address] = value;
        else if (!strcmp(table, "discrete")) map->tab_input_bits[address] = value;
        else if (!strcmp(table, "holding")) map->tab_registers[address] = value;
        else map->tab_input_registers[address] = value;
    }
    fclose(file);
    return map;
}

/* Serve one connection (or the serial port) until it ends; 0 when stdin has ended. */
static int serve(modbus_t *ctx, modbus_mapping_t *map) {
    uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
    for (;;) {
        struct pollfd fds[2] = {{0, POLLIN, 0}, {modbus_get_socket(ctx), POLLIN, 0}};
        poll(fds, 2, -1);
        if (fds[0].revents) return 0;
        int n = modbus_receive(ctx, request);
        if (n > 0) modbus_reply(ctx, request, n, map);
        else if (n < 0 && (errno == ECONNRESET || errno == EIO || errno == EBADF)) return 1;
    }
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    modbus_mapping_t *map = load(argv[4]);
    if (!strcmp(argv[1], "rtu")) {
        modbus_t *ctx = modbus_new_rtu(argv[2], 115200, 'N', 8, 1);
        if (!ctx || modbus_set_slave(ctx, atoi(argv[3])) || modbus_connect(ctx)) { perror(argv[2]); return 1; }
        puts("ready");
        fflush(stdout);
        serve(ctx, map);
        return 0;
    }
    modbus_t *ctx = modbus_new_tcp("127.0.0.1", atoi(argv[2]));
    int listener = modbus_tcp_listen(ctx, 4);
    struct sockaddr_in bound;
    socklen_t size = sizeof bound;
    if (listener < 0 || getsockname(listener, (struct sockaddr *)&bound, &size)) { perror("listen"); return 1; }
    printf("%d\n", ntohs(bound.sin_port));
    fflush(stdout);
    do {
        struct pollfd fds[2] = {{0, POLLIN, 0}, {listener, POLLIN, 0}};
        poll(fds, 2, -1);
        if (fds[0].revents) return 0;
        modbus_tcp_accept(ctx, &listener);
    } while (serve(ctx, map));
    return 0;
}
