// Linux calls that Swift's Glibc module leaves out, and the C unions and pointer casts that strict
// memory safety would make every caller spell out.
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// --- epoll -------------------------------------------------------------------------------------

/// One ready descriptor: the token given to `clinux_epoll_set` and what it is ready for.
struct clinux_ready {
    uint64_t token;
    uint32_t events;
};

static inline int clinux_epoll_set(int epoll, int operation, int descriptor, uint32_t events,
                                   uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return epoll_ctl(epoll, operation, descriptor, &event);
}

/// Up to 64 ready descriptors; -1 with `errno` on failure.
static inline int clinux_epoll_wait(int epoll, struct clinux_ready *_Nonnull ready,
                                    int timeout_milliseconds) {
    struct epoll_event events[64];
    int count = epoll_wait(epoll, events, 64, timeout_milliseconds);
    for (int i = 0; i < count; i++) {
        ready[i].token = events[i].data.u64;
        ready[i].events = events[i].events;
    }
    return count;
}

// --- time and chance -----------------------------------------------------------------------------

static inline uint64_t clinux_nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t clinux_random(void) {
    uint64_t word = 0;
    while (getrandom(&word, sizeof word, 0) != sizeof word) {}
    return word;
}

// --- signals -------------------------------------------------------------------------------------

/// The descriptor that tells of the first signal, how many came, and the exit status after the second.
static int clinux_signal_wakeup __attribute__((unused)) = -1;
static int clinux_signal_count __attribute__((unused)) = 0;
static int clinux_second_status __attribute__((unused)) = 0;

/// The first signal wakes whoever watches. The second ends the process here, on whatever thread it
/// finds: a loop that is stuck could not.
static inline void clinux_hear_signal(int signal) {
    (void)signal;
    int error = errno;
    if (__atomic_fetch_add(&clinux_signal_count, 1, __ATOMIC_RELAXED) > 0) {
        _exit(clinux_second_status);
    }
    eventfd_write(clinux_signal_wakeup, 1);
    errno = error;
}

/// Hears SIGTERM and SIGINT, ignores SIGPIPE, and returns a descriptor that becomes readable with
/// the first of the two; the second ends the process. Call it once.
static inline int clinux_watch_termination(int second_status) {
    clinux_signal_wakeup = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    clinux_second_status = second_status;
    struct sigaction action = {.sa_handler = clinux_hear_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    return clinux_signal_wakeup;
}

// --- standard error ------------------------------------------------------------------------------

/// A descriptor of our own for what standard error leads to, on which a write never waits for a
/// reader; -1 when there can be none. `O_NONBLOCK` belongs to the opened file: set on descriptor 2
/// itself it would hold for every process that shares it.
static inline int clinux_open_standard_error(int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) != 0) return -1;
    // A file has no reader, and opened anew it would be written from its start.
    if (S_ISREG(status.st_mode)) return fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode)) return -1;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/// Waits until a descriptor can be read.
static inline int clinux_wait_readable(int descriptor, int timeout_milliseconds) {
    struct pollfd watched = {.fd = descriptor, .events = POLLIN};
    return poll(&watched, 1, timeout_milliseconds);
}

// --- sockets -------------------------------------------------------------------------------------

/// A socket address of any family.
struct clinux_address {
    struct sockaddr_storage storage;
    socklen_t length;
};

/// Resolves a host name or numeric address for listening; a `getaddrinfo` code, 0 for success.
static inline int clinux_resolve(const char *_Nonnull host, uint16_t port,
                                 struct clinux_address *_Nonnull address) {
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(host, service, &hints, &found);
    if (code != 0) return code;
    memcpy(&address->storage, found->ai_addr, found->ai_addrlen);
    address->length = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

/// The address of a Unix socket; -1 when the path is too long.
static inline int clinux_unix_address(const char *_Nonnull path,
                                      struct clinux_address *_Nonnull address) {
    struct sockaddr_un *un = (struct sockaddr_un *)&address->storage;
    if (strlen(path) >= sizeof un->sun_path) return -1;
    memset(un, 0, sizeof *un);
    un->sun_family = AF_UNIX;
    strcpy(un->sun_path, path);
    address->length = sizeof *un;
    return 0;
}

/// Removes the file of a Unix socket that nobody listens on. 0 when the path is free; -1 with
/// `errno` when it is not.
static inline int clinux_remove_stale(const struct clinux_address *_Nonnull address,
                                      const char *_Nonnull path) {
    struct stat status;
    if (lstat(path, &status) != 0) return errno == ENOENT ? 0 : -1;
    if (!S_ISSOCK(status.st_mode)) {
        errno = EEXIST;
        return -1;
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0) return -1;
    int answer = connect(probe, (const struct sockaddr *)&address->storage, address->length);
    int error = errno;
    close(probe);
    if (answer == 0 || error != ECONNREFUSED) {
        errno = EADDRINUSE;
        return -1;
    }
    return unlink(path);
}

/// Opens a non-blocking listener, a Unix socket with the permissions `mode`; -1 with `errno`.
static inline int clinux_listen(const struct clinux_address *_Nonnull address, int shares_port,
                                uint32_t mode, int backlog) {
    int family = address->storage.ss_family;
    int listener = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0) return -1;
    int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shares_port) setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    // Accepted sockets inherit it; a token must not wait for an acknowledgement.
    if (family != AF_UNIX) setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(listener, (const struct sockaddr *)&address->storage, address->length) != 0
        // Before `listen` nobody can connect.
        || (family == AF_UNIX
            && chmod(((const struct sockaddr_un *)&address->storage)->sun_path, mode) != 0)
        || listen(listener, backlog) != 0) {
        int error = errno;
        close(listener);
        errno = error;
        return -1;
    }
    return listener;
}

/// The port that a TCP listener got.
static inline uint16_t clinux_local_port(int descriptor) {
    struct clinux_address address = {.length = sizeof(struct sockaddr_storage)};
    if (getsockname(descriptor, (struct sockaddr *)&address.storage, &address.length) != 0) return 0;
    if (address.storage.ss_family == AF_INET6) {
        return ntohs(((struct sockaddr_in6 *)&address.storage)->sin6_port);
    }
    return ntohs(((struct sockaddr_in *)&address.storage)->sin_port);
}

/// Whether the peer of a connection is on this machine: a Unix socket, 127.0.0.0/8 or ::1.
static inline int clinux_peer_is_local(int descriptor) {
    struct clinux_address address = {.length = sizeof(struct sockaddr_storage)};
    if (getpeername(descriptor, (struct sockaddr *)&address.storage, &address.length) != 0) return 0;
    if (address.storage.ss_family == AF_UNIX) return 1;
    if (address.storage.ss_family == AF_INET) {
        return ntohl(((struct sockaddr_in *)&address.storage)->sin_addr.s_addr) >> 24 == 127;
    }
    if (address.storage.ss_family != AF_INET6) return 0;
    const struct in6_addr *peer = &((struct sockaddr_in6 *)&address.storage)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(peer)) return peer->s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(peer);
}

// Declared here because `_GNU_SOURCE` would change types that the Glibc module has seen without it.
extern int accept4(int, struct sockaddr *_Nullable, socklen_t *_Nullable, int);

static inline int clinux_accept(int listener) {
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/// The address of a connection's peer as sixteen bytes, IPv4 mapped into IPv6; zeros for any other.
static inline void clinux_peer_address(int descriptor, uint64_t *_Nonnull high,
                                       uint64_t *_Nonnull low) {
    struct clinux_address address = {.length = sizeof(struct sockaddr_storage)};
    *high = *low = 0;
    if (getpeername(descriptor, (struct sockaddr *)&address.storage, &address.length) != 0) return;
    if (address.storage.ss_family == AF_INET6) {
        const struct sockaddr_in6 *peer = (struct sockaddr_in6 *)&address.storage;
        memcpy(high, peer->sin6_addr.s6_addr, sizeof *high);
        memcpy(low, peer->sin6_addr.s6_addr + 8, sizeof *low);
    } else if (address.storage.ss_family == AF_INET) {
        const struct sockaddr_in *peer = (struct sockaddr_in *)&address.storage;
        const uint16_t mapped = 0xffff;
        memcpy((char *)low + 2, &mapped, sizeof mapped);
        memcpy((char *)low + 4, &peer->sin_addr, 4);
    }
}

// --- the process ---------------------------------------------------------------------------------

/// Keeps two megabytes of freed memory for the next request, where glibc would give most of it back
/// and have each of its pages cleared once more: a fifth of the time of a request of 660 KB. What is
/// larger than a megabyte still goes back at once.
static inline void clinux_keep_freed_memory(void) {
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 2 << 20);
}

/// What tools call the calling thread; the kernel keeps 15 bytes of it.
static inline void clinux_name_thread(const char *_Nonnull name) { prctl(PR_SET_NAME, name); }

/// Raises the limit of open descriptors to what is allowed, and keeps the memory of the process, with
/// keys and prompts in it, out of core dumps: no file, and no mapping for a program that takes dumps.
static inline void clinux_prepare_process(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    limit.rlim_cur = limit.rlim_max = 0;
    setrlimit(RLIMIT_CORE, &limit);
    int filter = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
    if (filter < 0) return;
    ssize_t written = write(filter, "0", 1);
    (void)written;
    close(filter);
}

/// Whether so many more descriptors could be had just now, up to 8.
static inline int clinux_has_descriptors(int count) {
    int had[8], got = 0;
    while (got < count && got < 8 && (had[got] = fcntl(0, F_DUPFD_CLOEXEC, 3)) >= 0) got++;
    int failed = got < count && (errno == EMFILE || errno == ENFILE);
    for (int i = 0; i < got; i++) close(had[i]);
    return !failed;
}

/// Connects to a loopback port or an address, blocking; for the health check. -1 with `errno`.
static inline int clinux_connect(const struct clinux_address *_Nonnull address, int timeout_seconds) {
    int descriptor = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    struct timeval limit = {.tv_sec = timeout_seconds};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(descriptor, (const struct sockaddr *)&address->storage, address->length) != 0) {
        int error = errno;
        close(descriptor);
        errno = error;
        return -1;
    }
    return descriptor;
}
