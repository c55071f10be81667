// A Chat Completions server that costs next to nothing, for measuring what stands before it.
//
// usage: upstream TOKENS PACE_MICROSECONDS
//
// Listens on a port of loopback that the system picks and prints it. Answers every POST: a stream of
// TOKENS tokens, PACE apart (0: all at once), when the body asks for one; otherwise a small message.
// Each token carries the time it was sent at: "~" and nanoseconds of the monotonic clock.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
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

enum { EVENTS = 256, ROOM = 1 << 16 };

typedef struct Connection {
    int fd, sent;  // sent: tokens of the running stream
    bool is_streaming, is_closed;
    char *in, *out;
    size_t in_size, in_room, out_size, out_room;
    uint64_t due;
    struct Connection *next;  // in the queue of streams, which all have one pace
} Connection;

static int poller, token_count;
static uint64_t pace;
static Connection *first, *last;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void put(Connection *c, const char *bytes, size_t count) {
    if (c->out_size + count > c->out_room) {
        c->out_room = (c->out_size + count) * 2;
        c->out = realloc(c->out, c->out_room);
    }
    memcpy(c->out + c->out_size, bytes, count);
    c->out_size += count;
}

static void put_text(Connection *c, const char *text) { put(c, text, strlen(text)); }

static void watch(Connection *c, uint32_t what) {
    struct epoll_event event = {.events = what, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
}

static void flush(Connection *c) {
    size_t done = 0;
    while (done < c->out_size) {
        ssize_t count = send(c->fd, c->out + done, c->out_size - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0) break;
        done += (size_t)count;
    }
    bool was_full = done < c->out_size;
    memmove(c->out, c->out + done, c->out_size - done);
    c->out_size -= done;
    watch(c, was_full ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void put_event(Connection *c, const char *choice) {
    char data[512], frame[16];
    int count = snprintf(
        data, sizeof data,
        "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1,"
        "\"model\":\"bench-model\",\"system_fingerprint\":\"fp_bench\",%s}\n\n", choice);
    put(c, frame, (size_t)snprintf(frame, sizeof frame, "%x\r\n", count));
    put(c, data, (size_t)count);
    put_text(c, "\r\n");
}

static void put_delta(Connection *c, const char *delta, const char *finish) {
    char choice[256];
    snprintf(
        choice, sizeof choice,
        "\"choices\":[{\"index\":0,\"delta\":{%s},\"logprobs\":null,\"finish_reason\":%s}]", delta,
        finish);
    put_event(c, choice);
}

static void put_token(Connection *c) {
    char delta[64];
    snprintf(delta, sizeof delta, "\"content\":\"~%llu \"", (unsigned long long)now());
    put_delta(c, delta, "null");
    c->sent++;
}

static void end_stream(Connection *c) {
    put_delta(c, "", "\"stop\"");
    put_event(c, "\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":50,"
                 "\"total_tokens\":150}");
    put_text(c, "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
    c->is_streaming = false;
}

static void queue(Connection *c, uint64_t due) {
    c->due = due;
    c->next = NULL;
    if (last) last->next = c; else first = c;
    last = c;
}

static void answer(Connection *c, bool is_stream) {
    if (!is_stream) {
        static const char body[] =
            "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"model\":\"bench-model\","
            "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"A short "
            "answer of about a dozen words, as titles and summaries are.\"},\"finish_reason\":"
            "\"stop\"}],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":12,"
            "\"total_tokens\":112}}";
        char head[128];
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                                    "content-length: %zu\r\n\r\n", sizeof body - 1);
        put_text(c, head);
        put(c, body, sizeof body - 1);
        return flush(c);
    }
    put_text(c, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                "transfer-encoding: chunked\r\n\r\n");
    put_delta(c, "\"role\":\"assistant\",\"content\":\"\"", "null");
    c->is_streaming = true;
    c->sent = 0;
    if (pace) {
        queue(c, now() + pace);
    } else {
        while (c->sent < token_count) put_token(c);
        end_stream(c);
    }
    flush(c);
}

static void serve(Connection *c) {
    c->in[c->in_size] = 0;
    char *head_end = c->is_streaming ? NULL : strstr(c->in, "\r\n\r\n");
    if (!head_end) return;
    char *length = strcasestr(c->in, "\r\ncontent-length:");
    size_t body = length && length < head_end ? strtoul(length + 17, NULL, 10) : 0;
    size_t whole = (size_t)(head_end + 4 - c->in) + body;
    if (c->in_size < whole) return;
    // Python's writers put a space behind the colon.
    bool is_stream = memmem(head_end, body + 4, "\"stream\":true", 13) != NULL ||
                     memmem(head_end, body + 4, "\"stream\": true", 14) != NULL;
    memmove(c->in, c->in + whole, c->in_size - whole);
    c->in_size -= whole;
    answer(c, is_stream);
}

static void receive(Connection *c) {
    if (c->in_room - c->in_size < ROOM) {
        c->in_room = c->in_room * 2 + ROOM;
        c->in = realloc(c->in, c->in_room + 1);
    }
    ssize_t count = recv(c->fd, c->in + c->in_size, c->in_room - c->in_size, MSG_DONTWAIT);
    if (count > 0) {
        c->in_size += (size_t)count;
        return serve(c);
    }
    if (count < 0 && errno == EAGAIN) return;
    // The queue may still know it.
    close(c->fd);
    free(c->in);
    free(c->out);
    c->in = c->out = NULL;
    c->in_size = c->in_room = c->out_size = c->out_room = 0;
    c->is_closed = true;
}

static void move_streams_on(void) {
    for (uint64_t time = now(); first && first->due <= time;) {
        Connection *c = first;
        first = c->next;
        if (!first) last = NULL;
        if (c->is_closed) continue;
        if (c->sent < token_count) {
            put_token(c);
            queue(c, c->due + pace);
        } else {
            end_stream(c);
        }
        flush(c);
    }
}

static int listen_on_loopback(void) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 4096)) exit(1);
    getsockname(fd, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void accept_all(int listener) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        Connection *c = calloc(1, sizeof *c);
        c->fd = fd;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    token_count = atoi(arguments[1]);
    pace = strtoull(arguments[2], NULL, 10) * 1000;
    signal(SIGPIPE, SIG_IGN);
    poller = epoll_create1(0);
    int listener = listen_on_loopback();
    struct epoll_event event = {.events = EPOLLIN}, events[EVENTS];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int64_t wait = first ? ((int64_t)first->due - (int64_t)now()) / 1000000 + 1 : -1;
        int ready = epoll_wait(poller, events, EVENTS, wait < 0 && first ? 0 : (int)wait);
        for (int i = 0; i < ready; i++) {
            Connection *c = events[i].data.ptr;
            if (!c) { accept_all(listener); continue; }
            if (events[i].events & EPOLLOUT) flush(c);
            if (events[i].events & ~(uint32_t)EPOLLOUT) receive(c);
        }
        move_streams_on();
    }
}
