/* A WebSocket fan-out with nothing around it: the limit that servers are held against.

   loop PORT FLUSH_MS: reads "SYMBOL\tJSON" lines on stdin and sends each to who subscribed to S000..S999. FLUSH_MS 0:
   one send() an update and client. Else writes are joined as ours: at once after a quiet time, else FLUSH_MS after the
   last flush, one send() a client. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SYMBOLS 1000
#define ROOM (1 << 20) /* bytes that may wait for a client */

typedef struct {
    int fd, is_open, is_touched, is_busy;
    int waits, room;
    unsigned char *out;
} Client;
typedef struct { Client **all; int count, room; } Holders;

static Holders holders[SYMBOLS];
static Client **touched;
static int touched_count, touched_room, poller, flush_ms;
static char lines[1 << 20];
static int lines_size;

static uint64_t now_us(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static void keep(Client *client, const unsigned char *data, int size) {
    if (client->waits + size > ROOM) return; /* it does not read */
    if (client->waits + size > client->room) {
        client->room = (client->waits + size) * 2;
        client->out = realloc(client->out, client->room);
    }
    memcpy(client->out + client->waits, data, size);
    client->waits += size;
}

static void watch(Client *client, int is_busy) {
    struct epoll_event event = {.events = EPOLLIN | (is_busy ? EPOLLOUT : 0), .data.ptr = client};
    if (client->is_busy != is_busy) epoll_ctl(poller, EPOLL_CTL_MOD, client->fd, &event);
    client->is_busy = is_busy;
}

static void send_out(Client *client) {
    ssize_t sent = send(client->fd, client->out, client->waits, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) sent = 0;
    memmove(client->out, client->out + sent, client->waits - sent);
    client->waits -= sent;
    watch(client, client->waits > 0);
}

static void send_one(Client *client, const unsigned char *data, int size) {
    ssize_t sent = client->waits ? 0 : send(client->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) sent = 0;
    if (sent < size) { keep(client, data + sent, size - sent); watch(client, 1); }
}

static void touch(Client *client) {
    if (client->is_touched) return;
    if (touched_count == touched_room) touched = realloc(touched, (touched_room = touched_room * 2 + 64) * sizeof *touched);
    client->is_touched = 1;
    touched[touched_count++] = client;
}

static void flush_all(void) {
    for (int at = 0; at < touched_count; at++) {
        touched[at]->is_touched = 0;
        if (!touched[at]->is_busy) send_out(touched[at]);
    }
    touched_count = 0;
}

static int framed(unsigned char *frame, const char *text, int size) {
    int at = 0;
    frame[at++] = 0x81;
    if (size < 126) frame[at++] = size;
    else { frame[at++] = 126; frame[at++] = size >> 8; frame[at++] = size & 255; }
    memcpy(frame + at, text, size);
    return at + size;
}

static void publish(const char *line, int size) {
    unsigned char frame[8192];
    const char *tab = memchr(line, '\t', size);
    int symbol = atoi(line + 1), length;
    if (!tab || symbol < 0 || symbol >= SYMBOLS || size > 8000) return;
    length = framed(frame, tab + 1, size - (tab + 1 - line));
    for (int at = 0; at < holders[symbol].count; at++) {
        Client *client = holders[symbol].all[at];
        if (flush_ms) { keep(client, frame, length); touch(client); }
        else send_one(client, frame, length);
    }
}

static int read_lines(void) {
    ssize_t size = read(0, lines + lines_size, sizeof lines - lines_size);
    if (size <= 0) return 0;
    lines_size += size;
    char *from = lines, *end;
    while ((end = memchr(from, '\n', lines + lines_size - from))) { publish(from, end - from); from = end + 1; }
    lines_size -= from - lines;
    memmove(lines, from, lines_size);
    return 1;
}

static void accept_all(int listener) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        Client *client = calloc(1, sizeof *client);
        client->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

static void subscribe(Client *client, const char *text) {
    unsigned char frame[64];
    for (const char *at = text; (at = strstr(at, "\"S")); at += 5) {
        if (at[2] < '0' || at[2] > '9') continue;
        Holders *of = &holders[atoi(at + 2) % SYMBOLS];
        if (of->count == of->room) of->all = realloc(of->all, (of->room = of->room * 2 + 64) * sizeof *of->all);
        of->all[of->count++] = client;
    }
    send_one(client, frame, framed(frame, "{\"type\":\"subscribed\"}", 21));
}

static void forget(Client *client) {
    for (int symbol = 0; symbol < SYMBOLS; symbol++) {
        Holders *of = &holders[symbol];
        for (int at = 0; at < of->count; at++) if (of->all[at] == client) of->all[at--] = of->all[--of->count];
    }
    for (int at = 0; at < touched_count; at++) if (touched[at] == client) touched[at--] = touched[--touched_count];
    close(client->fd);
    free(client->out);
    free(client);
}

static void hear(Client *client) {
    char text[8192];
    ssize_t size = recv(client->fd, text, sizeof text - 1, 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) { forget(client); return; }
    text[size] = 0;
    if (!client->is_open) { /* the answer to the one key that our client sends */
        static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        client->is_open = 1;
        send(client->fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
        return;
    }
    int head = (text[1] & 127) == 126 ? 8 : 6; /* masked with zeros */
    subscribe(client, text + head);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    flush_ms = atoi(argv[2]);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 4096)) return 3;
    poller = epoll_create1(0);
    int marks[2];
    struct epoll_event in = {.events = EPOLLIN, .data.ptr = &marks[0]}, come = {.events = EPOLLIN, .data.ptr = &marks[1]}, events[512];
    epoll_ctl(poller, EPOLL_CTL_ADD, 0, &in);
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &come);
    uint64_t flushed = 0;
    while (1) {
        int64_t wait = -1;
        if (touched_count) {
            wait = (int64_t)(flushed + flush_ms * 1000 - now_us());
            if (wait <= 0) { flushed = now_us(); flush_all(); wait = -1; }
            else wait = (wait + 999) / 1000;
        }
        int found = epoll_wait(poller, events, 512, wait);
        for (int at = 0; at < found; at++) {
            void *who = events[at].data.ptr;
            if (who == &marks[0]) { if (!read_lines()) return 0; }
            else if (who == &marks[1]) accept_all(listener);
            else if (events[at].events & EPOLLIN) hear(who);
            else if (events[at].events & EPOLLOUT) send_out(who);
            else forget(who);
        }
    }
}
