/* Many WebSocket clients in one process, which subscribe and count what they hear.

   client PORT PATH AT_ONCE FILE: a connection for each line of FILE, which is what it says once it is open; at most
   AT_ONCE are on their way at a time. Tells on stdout, each a line of JSON, that all were answered, and after each
   "count" on stdin what was heard since the last "reset". It ends with its stdin. */
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

#define KEPT 140 /* bytes of a frame that are looked at; a control frame is never longer */
#define LONGEST 32768 /* bytes that a client says */
#define SLOT_US 100
#define SLOTS 300000 /* of a histogram to 30 s */
enum { IDLE, CONNECTING, SHAKING, ASKING, READY, GONE };

typedef struct {
    int fd, state, kept;
    uint64_t skip; /* bytes of the present frame that nobody looks at */
    char *said;
    unsigned char head[KEPT];
} Client;

static Client *clients;
static int count, begun, ready, gone, refused, at_once, poller;
static struct sockaddr_in server;
static char *path;
static uint64_t updates, bytes, other, slots[SLOTS], slowest;
static unsigned char input[1 << 18];

static uint64_t now_us(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static void leave(Client *client) {
    if (client->state == GONE) return;
    close(client->fd);
    client->state = GONE;
    gone++;
}

static void say(Client *client, int opcode, const unsigned char *text, int size) {
    unsigned char frame[16 + LONGEST];
    int at = 0;
    frame[at++] = 0x80 | opcode;
    if (size < 126) frame[at++] = 0x80 | size;
    else { frame[at++] = 0x80 | 126; frame[at++] = size >> 8; frame[at++] = size & 255; }
    memset(frame + at, 0, 4); /* masked with zeros */
    memcpy(frame + at + 4, text, size);
    if (send(client->fd, frame, at + 4 + size, MSG_NOSIGNAL) != at + 4 + size) leave(client);
}

static void begin(void) {
    while (begun < count && begun - ready - gone < at_once) {
        Client *client = &clients[begun++];
        int one = 1;
        client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (client->fd < 0) { client->state = GONE; gone++; continue; }
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        client->state = CONNECTING;
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = client};
        epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &event);
        if (connect(client->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) leave(client);
    }
}

static int is(const unsigned char *text, int size, const char *type) {
    static const char start[] = "{\"type\":";
    int at = sizeof start - 1, length = strlen(type);
    if (size < at + 3 + length || memcmp(text, start, at)) return 0;
    at += text[at] == ' ';
    return text[at] == '"' && size > at + 1 + length && !memcmp(text + at + 1, type, length) ? at + 2 + length : 0;
}

static void take(Client *client, int opcode, const unsigned char *text, int size) {
    int at;
    if (opcode == 1 && (at = is(text, size, "price_update"))) {
        uint64_t said = 0, waited, now;
        while (at < size && (text[at] < '0' || text[at] > '9')) at++;
        for (; at < size && text[at] >= '0' && text[at] <= '9'; at++) said = said * 10 + text[at] - '0';
        now = now_us();
        waited = now > said ? now - said : 0;
        if (waited > slowest) slowest = waited;
        slots[waited / SLOT_US < SLOTS ? waited / SLOT_US : SLOTS - 1]++;
        updates++;
    } else if (opcode == 1 && client->state == ASKING && is(text, size, "subscribed")) {
        client->state = READY;
        ready++;
    } else if (opcode == 1 && client->state == ASKING && is(text, size, "error")) {
        refused++;
        leave(client);
    } else if (opcode == 9) {
        say(client, 10, text, size);
    } else if (opcode == 8) {
        leave(client);
    } else {
        other++;
    }
}

/* How many bytes a frame's head and the part that is looked at have; 0: more must come to tell. */
static int frame_size(const unsigned char *data, int size, int *head, uint64_t *payload) {
    if (size < 2) return 0;
    int length = data[1] & 127;
    *head = length < 126 ? 2 : length == 126 ? 4 : 10;
    if (size < *head) return 0;
    *payload = length;
    if (length >= 126) {
        *payload = 0;
        for (int at = 2; at < *head; at++) *payload = *payload << 8 | data[at];
    }
    return *payload < (uint64_t)(KEPT - *head) ? *head + (int)*payload : KEPT;
}

static void read_frames(Client *client, const unsigned char *data, int size) {
    while (size > 0 && client->state != GONE) {
        if (client->skip) {
            uint64_t step = client->skip < (uint64_t)size ? client->skip : (uint64_t)size;
            client->skip -= step; data += step; size -= step;
            continue;
        }
        const unsigned char *from = data;
        int there = size, head, whole, borrowed = 0;
        uint64_t payload;
        if (client->kept) {
            borrowed = size < KEPT - client->kept ? size : KEPT - client->kept;
            memcpy(client->head + client->kept, data, borrowed);
            from = client->head;
            there = client->kept + borrowed;
        }
        whole = frame_size(from, there, &head, &payload);
        if (!whole || there < whole) { /* it ends within what is looked at */
            if (!client->kept) memcpy(client->head, data, size);
            client->kept += size;
            return;
        }
        client->skip = head + payload - whole;
        data += whole - client->kept; size -= whole - client->kept;
        client->kept = 0;
        take(client, from[0] & 15, from + head, whole - head);
    }
}

static void shake(Client *client) {
    char text[512];
    int size = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", path);
    if (send(client->fd, text, size, MSG_NOSIGNAL) != size) leave(client);
    else client->state = SHAKING;
}

static void open_up(Client *client, const unsigned char *data, int size) {
    unsigned char *end = memmem(data, size, "\r\n\r\n", 4);
    if (!end || !memmem(data, size, " 101 ", 5)) { refused++; leave(client); return; } /* a head comes in one piece */
    client->state = ASKING;
    say(client, 1, (unsigned char *)client->said, strlen(client->said));
    end += 4;
    read_frames(client, end, size - (end - data));
}

static void hear(Client *client) {
    while (client->state != GONE) {
        ssize_t size = recv(client->fd, input, sizeof input, 0);
        if (size < 0) { if (errno != EAGAIN) leave(client); return; }
        if (size == 0) { leave(client); return; }
        bytes += size;
        if (client->state == SHAKING) open_up(client, input, size);
        else read_frames(client, input, size);
        if (size < (ssize_t)sizeof input) return; /* edge-triggered: more makes a new edge */
    }
}

static double quantile(double part) {
    uint64_t wanted = part * updates, seen = 0;
    for (int at = 0; at < SLOTS; at++) if ((seen += slots[at]) > wanted) return at * SLOT_US / 1000.0;
    return slowest / 1000.0;
}

static void tell(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("{\"updates\": %lu, \"bytes\": %lu, \"other\": %lu, \"gone\": %d, \"p50\": %.1f, \"p99\": %.1f, \"max\": %.1f,"
           " \"cpu\": %.4f}\n", updates, bytes, other, gone, quantile(0.5), quantile(0.99), slowest / 1000.0, cpu);
    fflush(stdout);
}

static int obey(void) {
    char text[64];
    ssize_t size = read(0, text, sizeof text - 1);
    if (size <= 0) return 0;
    text[size] = 0;
    if (strstr(text, "reset")) { updates = bytes = other = slowest = 0; memset(slots, 0, sizeof slots); }
    if (strstr(text, "count")) tell();
    return 1;
}

static void read_file(const char *name) {
    FILE *file = fopen(name, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    if (!file) exit(2);
    while ((size = getline(&line, &room, file)) > 0) {
        if (line[size - 1] == '\n') line[--size] = 0;
        if (size > LONGEST) exit(3);
        clients = realloc(clients, (count + 1) * sizeof *clients);
        memset(&clients[count], 0, sizeof *clients);
        clients[count++].said = strdup(line);
    }
    fclose(file);
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    server.sin_family = AF_INET;
    server.sin_port = htons(atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    path = argv[2];
    at_once = atoi(argv[3]);
    read_file(argv[4]);
    poller = epoll_create1(0);
    struct epoll_event orders = {.events = EPOLLIN, .data.ptr = NULL}, events[512];
    epoll_ctl(poller, EPOLL_CTL_ADD, 0, &orders);
    uint64_t began = now_us();
    int is_told = 0;
    while (1) {
        begin();
        if (!is_told && ready + gone >= count) {
            is_told = 1;
            printf("{\"ready\": %d, \"refused\": %d, \"gone\": %d, \"seconds\": %.4f}\n", ready, refused, gone,
                   (now_us() - began) / 1e6);
            fflush(stdout);
        }
        int found = epoll_wait(poller, events, 512, -1);
        for (int at = 0; at < found; at++) {
            Client *client = events[at].data.ptr;
            if (!client) { if (!obey()) return 0; continue; }
            if (client->state == CONNECTING && events[at].events & EPOLLOUT) shake(client);
            if (client->state != GONE && events[at].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) hear(client);
        }
    }
}
