// A closed loop of clients: each sends its next request when it has its answer.
//
// usage: load PORT CONNECTIONS SECONDS BODY_FILE PID WARM_UP_SECONDS [cut | TRACE_FILE]
//
// Posts the body to /v1/messages, to warm up and then for SECONDS, and prints one line of JSON:
// requests, tokens (found by their stamps, see upstream.c), CPU seconds of the process PID
// meanwhile, its resident memory, and how long tokens took from the upstream to here. With `cut`
// each client hangs up at the first token; a trace has a line for each token: when it was sent, in
// nanoseconds of the monotonic clock, and how many microseconds it took.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, ROOM = 1 << 18, DELAYS = 1 << 22 };

typedef struct {
    int fd;
    size_t sent;             // of the request
    char head[4096];         // of the answer, until it is whole
    size_t head_size;
    bool has_head, is_chunked, in_stamp;
    long left;               // bytes of the body, or of its chunk
    enum { SIZE, DATA, AFTER_DATA, TRAILER } state;
    uint64_t stamp;
} Client;

static int port, poller;
static char *request;
static size_t request_size;
static bool is_measuring, cuts;
static uint64_t requests, tokens, failures;
static float *delays;
static uint64_t *stamps;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void send_more(Client *c) {
    ssize_t count = send(
        c->fd, request + c->sent, request_size - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) c->sent += (size_t)count;
    struct epoll_event event = {
        .events = EPOLLIN | (c->sent < request_size ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
}

static void ask(Client *c) {
    c->sent = c->head_size = 0;
    c->has_head = c->in_stamp = false;
    send_more(c);
}

static void dial(Client *c) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address)) {
        perror("connect");
        exit(1);
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
    ask(c);
}

/// Finds the stamps of tokens, also those cut by the end of a read.
static void find_stamps(Client *c, const char *bytes, size_t count) {
    uint64_t time = now();
    for (const char *p = bytes, *end = bytes + count; p < end; p++) {
        if (!c->in_stamp) {
            p = memchr(p, '~', (size_t)(end - p));
            if (!p) return;
            c->in_stamp = true;
            c->stamp = 0;
        } else if (*p >= '0' && *p <= '9') {
            c->stamp = c->stamp * 10 + (uint64_t)(*p - '0');
        } else {
            c->in_stamp = false;
            if (!is_measuring) continue;
            if (tokens < DELAYS) {
                delays[tokens] = (float)(time - c->stamp) / 1000;
                stamps[tokens] = c->stamp;
            }
            tokens++;
        }
    }
}

/// Whether the answer is whole after these bytes of its body.
static bool read_body(Client *c, const char *bytes, size_t count) {
    if (!c->is_chunked) {
        find_stamps(c, bytes, count);
        return (c->left -= (long)count) <= 0;
    }
    for (size_t i = 0; i < count;) {
        switch (c->state) {
        case SIZE: {
            char byte = bytes[i++];
            if (byte == '\n') c->state = c->left ? DATA : TRAILER;
            else if (byte != '\r') c->left = c->left * 16 + (byte <= '9' ? byte - '0' : (byte | 32) - 'a' + 10);
            break;
        }
        case DATA: {
            size_t part = count - i < (size_t)c->left ? count - i : (size_t)c->left;
            find_stamps(c, bytes + i, part);
            i += part;
            if (!(c->left -= (long)part)) c->state = AFTER_DATA;
            break;
        }
        case AFTER_DATA:
            if (bytes[i++] == '\n') c->state = SIZE;
            break;
        case TRAILER:
            if (bytes[i++] == '\n') return true;
            break;
        }
    }
    return false;
}

/// Takes the head in; the bytes of it that were in this read.
static size_t read_head(Client *c, const char *bytes, size_t count) {
    size_t before = c->head_size, room = sizeof c->head - 1 - before;
    size_t part = count < room ? count : room;
    memcpy(c->head + before, bytes, part);
    c->head[c->head_size = before + part] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) return count;
    c->has_head = true;
    end[2] = 0;
    if (is_measuring && strncmp(c->head + 9, "200", 3) != 0) failures++;
    char *length = strcasestr(c->head, "\r\ncontent-length:");
    c->is_chunked = length == NULL;
    c->left = length ? atol(length + 17) : 0;
    c->state = SIZE;
    return (size_t)(end + 4 - c->head) - before;
}

static void hang_up(Client *c) {
    requests += is_measuring;
    // A reset, which leaves no port in TIME_WAIT.
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    close(c->fd);
    dial(c);
}

static void receive(Client *c) {
    static char bytes[ROOM];
    ssize_t count = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count <= 0) {
        failures++;
        close(c->fd);
        return dial(c);
    }
    if (cuts && memchr(bytes, '~', (size_t)count)) return hang_up(c);
    size_t used = c->has_head ? 0 : read_head(c, bytes, (size_t)count);
    if (!c->has_head || !read_body(c, bytes + used, (size_t)count - used)) return;
    requests += is_measuring;
    ask(c);
}

static double cpu_seconds(const char *pid) {
    char path[64], line[1024] = "";
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(line, sizeof line, file)) exit(1);
    fclose(file);
    unsigned long user = 0, system = 0;
    sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static long resident_kilobytes(const char *pid) {
    char path[64], line[256];
    long kilobytes = 0;
    snprintf(path, sizeof path, "/proc/%s/status", pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) sscanf(line, "VmRSS: %ld", &kilobytes);
    if (file) fclose(file);
    return kilobytes;
}

static void load_request(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) exit(1);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    request = malloc((size_t)size + 512);
    int head = sprintf(
        request, "POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: bench\r\n"
                 "anthropic-version: 2023-06-01\r\ncontent-type: application/json\r\n"
                 "content-length: %ld\r\n\r\n", size);
    request_size = (size_t)head + fread(request + head, 1, (size_t)size, file);
    fclose(file);
}

static void run_until(uint64_t end) {
    struct epoll_event events[EVENTS];
    while (now() < end) {
        int ready = epoll_wait(poller, events, EVENTS, 50);
        for (int i = 0; i < ready; i++) {
            Client *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT && c->sent < request_size) send_more(c);
            if (events[i].events & ~(uint32_t)EPOLLOUT) receive(c);
        }
    }
}

static int by_size(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

int main(int count, char **arguments) {
    if (count < 7) return 2;
    const char *trace = count > 7 && strcmp(arguments[7], "cut") ? arguments[7] : NULL;
    cuts = count > 7 && !trace;
    port = atoi(arguments[1]);
    int client_count = atoi(arguments[2]);
    double seconds = atof(arguments[3]);
    const char *pid = arguments[5];
    load_request(arguments[4]);
    signal(SIGPIPE, SIG_IGN);
    poller = epoll_create1(0);
    delays = calloc(DELAYS, sizeof *delays);
    stamps = calloc(DELAYS, sizeof *stamps);
    Client *clients = calloc((size_t)client_count, sizeof *clients);
    for (int i = 0; i < client_count; i++) dial(&clients[i]);
    run_until(now() + (uint64_t)(atof(arguments[6]) * 1e9));
    double cpu = cpu_seconds(pid);
    failures = 0;
    is_measuring = true;
    uint64_t start = now();
    run_until(start + (uint64_t)(seconds * 1e9));
    cpu = cpu_seconds(pid) - cpu;
    size_t sampled = tokens < DELAYS ? tokens : DELAYS;
    FILE *file = trace ? fopen(trace, "w") : NULL;
    for (size_t i = 0; file && i < sampled; i++) {
        fprintf(file, "%llu %.0f\n", (unsigned long long)stamps[i], (double)delays[i]);
    }
    if (file) fclose(file);
    qsort(delays, sampled, sizeof *delays, by_size);
    printf(
        "{\"requests\":%llu,\"tokens\":%llu,\"failures\":%llu,\"seconds\":%.3f,\"cpu\":%.2f,"
        "\"resident_kilobytes\":%ld,\"delay_p50\":%.0f,\"delay_p99\":%.0f}\n",
        (unsigned long long)requests, (unsigned long long)tokens, (unsigned long long)failures,
        (double)(now() - start) / 1e9, cpu, resident_kilobytes(pid),
        sampled ? (double)delays[sampled / 2] : 0, sampled ? (double)delays[sampled * 99 / 100] : 0);
}
