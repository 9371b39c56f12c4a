/*
 * The load generator: drives one server over loopback TCP with epoll, verifies every byte it answers, and prints what it
 * saw as one line of JSON. The suite compiles it; `generator.ts` does the same more slowly where there is no compiler.
 *
 *   generator mode=framed port=4000 connections=64 depth=16 bytes=64 warmup=1 seconds=2 pid=123,124 core=0
 *
 *   framed   u32 length and payload, echoed           `depth` requests in flight on each of `connections`
 *   line     a line, sent back reversed               the same
 *   churn    connect, one framed request, both sides end; `connections` at a time
 *   idle     one framed request each, then `{"ready":N}`, and the connections stay open until the server or stdin ends
 *   checked  framed; the last four bytes of a message are the CRC-32 of the others, most significant byte first
 *   serve    no load but a server that sends back every byte, for clients under test: `{"port":N}`, until stdin ends
 *
 * `rate=N` sends N requests a second in all (`framed`, `checked`, `line`), each at its time whatever the server does. Its
 * latency counts from that time, not from when it could be sent: so a server that stalls cannot hide it.
 *
 * Nothing is buffered per connection: what is sent and what must come back are functions of the connection and the number
 * of the request, which is stamped into its bytes. So a reply that is lost, doubled, reordered or another connection's
 * ends the run with exit code 3; other failures have 1. `pid` and `core` name the server's processes and core: their CPU
 * time is read where the measured time begins and ends, and so is the time that others took of both cores.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAMED, LINE, CHURN, IDLE, CHECKED, SERVE };
enum { MAX_PIDS = 64, STAMP = 8, WRITE_BYTES = 1 << 18, READ_BYTES = 1 << 18, STALL_MILLIS = 5000 };
enum { MAX_REDIALS = 5, REDIAL_MICROS = 10000 }; /* the pauses are 10, 20, 40, 80 and 160 ms */
enum { FAILED = 1, WRONG_REPLY = 3 }; /* exit codes; failures.ts has them, too */

typedef struct {
  int fd;
  uint32_t index;
  int redials;
  uint64_t sent, received, last;   /* whole frames; no more than `last` are ever sent */
  size_t sent_part, received_part; /* bytes of the next frame */
  uint64_t *sent_at;               /* nanoseconds, by the number of the request modulo `depth` */
} Connection;

static int mode, depth = 1, per_write, epoll_fd;
static long port, connections = 1, bytes = 64, server_core = -1;
static pid_t server_pids[MAX_PIDS]; /* of the server and its workers */
static int server_count;
static double warmup = 1, seconds = 2, rate;
static size_t size, request_stamp, reply_stamp; /* of a frame on the wire */
static char *requests, *reply, input[READ_BYTES];
static uint64_t begin = UINT64_MAX; /* when the first request of a fixed rate is due: not before all are connected */
static uint64_t done; /* requests, or in mode churn connections, that came to their end */

static void end(int code, const char *format, va_list arguments) {
  fputs("generator: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  exit(code);
}

static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  end(FAILED, format, arguments);
}

static void wrong_reply(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  end(WRONG_REPLY, format, arguments);
}

static uint64_t nanos(clockid_t clock) {
  struct timespec t;
  return clock_gettime(clock, &t) ? 0 : (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- latency: 32 buckets per power of two, so a percentile is right within 3 % ------------------------------------ */

static uint64_t buckets[64 * 32], latency_max;

static void record(uint64_t ns) {
  int exponent = ns < 32 ? 0 : 63 - __builtin_clzll(ns) - 5;
  buckets[exponent * 32 + (ns >> exponent)]++;
  if (ns > latency_max) latency_max = ns;
}

static double percentile_micros(double share) {
  uint64_t total = 0, seen = 0;
  for (int i = 0; i < 64 * 32; i++) total += buckets[i];
  for (int i = 0; i < 64 * 32; i++) {
    seen += buckets[i];
    if (seen > 0 && (double)seen >= share * (double)total) {
      int exponent = i < 64 ? 0 : i / 32 - 1;
      return (double)((uint64_t)(i - exponent * 32) << exponent) / 1000;
    }
  }
  return 0;
}

/* --- what the processes and the cores did -------------------------------------------------------------------------- */

typedef struct {
  uint64_t at, requests, server, generator;
  double busy[2]; /* of the server's core and of this one, in seconds; negative when unknown */
} Snapshot;

static double core_busy(long core) {
  char line[256], name[32];
  double busy = -1;
  FILE *file = fopen("/proc/stat", "r");
  if (!file || core < 0) return -1;
  snprintf(name, sizeof name, "cpu%ld ", core);
  while (fgets(line, sizeof line, file)) {
    unsigned long user, nice, system, idle, iowait, irq, softirq, steal;
    if (strncmp(line, name, strlen(name))) continue;
    if (sscanf(line + strlen(name), "%lu %lu %lu %lu %lu %lu %lu %lu", &user, &nice, &system, &idle, &iowait, &irq,
               &softirq, &steal) == 8) {
      busy = (double)(user + nice + system + irq + softirq + steal) / (double)sysconf(_SC_CLK_TCK);
    }
  }
  fclose(file);
  return busy;
}

static uint64_t server_nanos(void) {
  clockid_t server;
  uint64_t sum = 0;
  for (int i = 0; i < server_count; i++) if (!clock_getcpuclockid(server_pids[i], &server)) sum += nanos(server);
  return sum;
}

static Snapshot snapshot(void) {
  Snapshot s = {.at = nanos(CLOCK_MONOTONIC), .requests = done, .generator = nanos(CLOCK_PROCESS_CPUTIME_ID)};
  s.server = server_nanos();
  s.busy[0] = core_busy(server_core);
  s.busy[1] = core_busy(server_core < 0 ? -1 : sched_getcpu());
  return s;
}

/* --- frames -------------------------------------------------------------------------------------------------------- */

static uint32_t crc_plain, crc_change[STAMP][16]; /* of a stamp of zeros, and by the digits of another one */

static uint32_t crc32(const char *at, size_t length) {
  uint32_t crc = ~0u;
  for (size_t i = 0; i < length; i++) {
    crc ^= (unsigned char)at[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

static void put_stamp(char *at, const Connection *c, uint64_t number, int backwards) {
  uint32_t stamp = c->index * 2654435761u + (uint32_t)number;
  for (int i = 0; i < STAMP; i++) at[backwards ? STAMP - 1 - i : i] = (char)('a' + (stamp >> (4 * i) & 15));
  if (mode != CHECKED) return;
  uint32_t crc = crc_plain; /* a CRC is linear, so the digits are added up instead of the message read again */
  for (int i = 0; i < STAMP; i++) crc ^= crc_change[i][stamp >> (4 * i) & 15];
  for (int i = 0; i < 4; i++) at[bytes - 4 + i] = (char)(crc >> (24 - 8 * i));
}

static void prepare_crc(char *message) {
  memset(message, 'a', STAMP);
  crc_plain = crc32(message, (size_t)bytes - 4);
  for (int i = 0; i < STAMP; i++) {
    for (int digit = 0; digit < 16; digit++) {
      message[i] = (char)('a' + digit);
      crc_change[i][digit] = crc32(message, (size_t)bytes - 4) ^ crc_plain;
    }
    message[i] = 'a';
  }
}

static void make_frames(void) {
  size_t head = mode == LINE ? 0 : 4;
  size = (size_t)bytes + (mode == LINE ? 1 : 4);
  per_write = depth;
  if ((size_t)per_write * size > WRITE_BYTES) per_write = (int)(WRITE_BYTES / size) + 1;
  requests = malloc((size_t)per_write * size);
  reply = malloc(size);
  for (size_t i = 0; i < (size_t)bytes; i++) requests[head + i] = (char)('a' + i % 26);
  if (mode == LINE) requests[bytes] = '\n';
  else for (int i = 0; i < 4; i++) requests[i] = (char)(bytes >> (24 - 8 * i));
  if (mode == CHECKED) prepare_crc(requests + head);
  for (int i = 1; i < per_write; i++) memcpy(requests + (size_t)i * size, requests, size);
  memcpy(reply, requests, size);
  if (mode == LINE) for (long i = 0; i < bytes; i++) reply[i] = requests[bytes - 1 - i];
  request_stamp = head;
  reply_stamp = mode == LINE ? (size_t)bytes - STAMP : head;
}

/* --- one connection ------------------------------------------------------------------------------------------------ */

static void dial(Connection *c);

/* When a listen queue is full, Linux may reset a dial, sometimes only when the first request comes. Where connections are
 * opened by thousands, such a dial is repeated: a pause of all dials lets the server catch up. */
static int redial(Connection *c, int error) {
  if (error != ECONNRESET && error != ECONNREFUSED && error != EPIPE) return 0;
  if (mode != IDLE || c->received > 0 || c->received_part > 0 || c->redials == MAX_REDIALS) return 0;
  close(c->fd);
  usleep(REDIAL_MICROS << c->redials++);
  c->sent = 0;
  dial(c);
  return 1;
}

static void dial(Connection *c) {
  static uint32_t source;
  int on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) fail("socket: %s", strerror(errno));
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  /* One address has 28,000 ports, and each is taken for a minute after its connection: so there are 64 addresses. */
  setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000101u + source++ % 64)};
  if (bind(c->fd, (struct sockaddr *)&from, sizeof from)) fail("bind: %s", strerror(errno));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  c->sent_part = c->received_part = 0;
  c->last = mode == CHURN || mode == IDLE ? c->sent + 1 : UINT64_MAX;
  c->sent_at[c->sent % (uint64_t)depth] = nanos(CLOCK_MONOTONIC);
  if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) {
    if (redial(c, errno)) return;
    fail("connect: %s", strerror(errno));
  }
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event)) fail("epoll_ctl: %s", strerror(errno));
}

/* When a request of a fixed rate is due: the connections take turns. */
static uint64_t due_at(const Connection *c, uint64_t number) {
  return begin + (uint64_t)((double)(number * (uint64_t)connections + c->index) / rate * 1e9);
}

/* How many requests of a fixed rate are due by now. */
static uint64_t due(const Connection *c) {
  double turn = ((double)nanos(CLOCK_MONOTONIC) - (double)begin) / 1e9 * rate - c->index;
  return turn < 0 ? 0 : (uint64_t)(turn / (double)connections) + 1;
}

static void send_requests(Connection *c) {
  uint64_t until = c->received + (uint64_t)depth < c->last ? c->received + (uint64_t)depth : c->last;
  if (rate > 0) until = due(c);
  while (c->sent < until) {
    uint64_t count = until - c->sent, now = nanos(CLOCK_MONOTONIC);
    if (count > (uint64_t)per_write) count = (uint64_t)per_write;
    for (uint64_t i = 0; i < count; i++) put_stamp(requests + i * size + request_stamp, c, c->sent + i, 0);
    ssize_t n = send(c->fd, requests + c->sent_part, count * size - c->sent_part, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
    if (n < 0 && redial(c, errno)) return;
    if (n < 0) fail("send: %s", strerror(errno));
    size_t written = c->sent_part + (size_t)n;
    if (mode != CHURN) {
      for (uint64_t i = c->sent_part > 0; i * size < written; i++) c->sent_at[(c->sent + i) % (uint64_t)depth] = now;
    }
    c->sent += written / size;
    c->sent_part = written % size;
    if (written < count * size) return;
  }
}

static void take_replies(Connection *c, const char *at, size_t length) {
  uint64_t now = nanos(CLOCK_MONOTONIC);
  while (length > 0) {
    if (c->received >= c->sent) wrong_reply("connection %u got a reply that it did not ask for", c->index);
    size_t n = size - c->received_part < length ? size - c->received_part : length;
    put_stamp(reply + reply_stamp, c, c->received, mode == LINE);
    if (memcmp(at, reply + c->received_part, n)) {
      wrong_reply("connection %u got a wrong reply to request %llu", c->index, (unsigned long long)c->received);
    }
    at += n;
    length -= n;
    c->received_part += n;
    if (c->received_part < size) return;
    c->received_part = 0;
    uint64_t from = rate > 0 ? due_at(c, c->received) : c->sent_at[c->received % (uint64_t)depth];
    record(now > from ? now - from : 0);
    c->received++;
    if (mode != CHURN) done++;
  }
}

static void finish(Connection *c) {
  if (mode == IDLE && c->received == c->sent) {
    close(c->fd);
    return;
  }
  if (mode != CHURN || c->received != c->sent) fail("the server ended connection %u", c->index);
  close(c->fd);
  c->index += (uint32_t)connections;
  done++;
  dial(c);
}

static void handle(Connection *c, uint32_t events) {
  if (events & EPOLLOUT) send_requests(c);
  if (!(events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))) return;
  for (;;) {
    ssize_t n = recv(c->fd, input, READ_BYTES, 0);
    if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) break;
    if (n < 0 && redial(c, errno)) return;
    if (n < 0) fail("recv: %s", strerror(errno));
    if (n == 0) return finish(c);
    take_replies(c, input, (size_t)n);
    if (n < READ_BYTES && !(events & (EPOLLRDHUP | EPOLLHUP))) break;
  }
  if (mode == CHURN && c->received == c->last) shutdown(c->fd, SHUT_WR);
  else send_requests(c);
}

/* --- the run ------------------------------------------------------------------------------------------------------- */

static int step(int millis) {
  struct epoll_event events[256];
  int n = epoll_wait(epoll_fd, events, 256, millis);
  if (n < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
  for (int i = 0; i < n; i++) handle(events[i].data.ptr, events[i].events);
  return n;
}

static void run_at_rate(Connection *all, uint64_t until) {
  static uint64_t turn; /* counts the requests of all connections */
  static uint64_t answered, answered_at;
  for (uint64_t now = nanos(CLOCK_MONOTONIC); now < until; now = nanos(CLOCK_MONOTONIC)) {
    if (answered != done || answered_at == 0) answered = done, answered_at = now;
    if (now - answered_at > STALL_MILLIS * 1000000ull) fail("the server did not answer for %d ms", STALL_MILLIS);
    uint64_t last = now < begin ? 0 : (uint64_t)((double)(now - begin) / 1e9 * rate);
    if (last > turn + (uint64_t)connections) turn = last - (uint64_t)connections; /* each connection once is enough */
    for (; turn < last; turn++) send_requests(&all[turn % (uint64_t)connections]);
    step(0);
  }
}

static void run(uint64_t until) {
  while (nanos(CLOCK_MONOTONIC) < until) {
    if (step(STALL_MILLIS) == 0) fail("the server did not answer for %d ms", STALL_MILLIS);
  }
}

static void drive(Connection *all, uint64_t until) {
  if (rate > 0) run_at_rate(all, until);
  else run(until);
}

static double share_of_others(double busy, double own, double elapsed) {
  return busy > own ? (busy - own) / elapsed : 0;
}

static void print(const Snapshot *a, const Snapshot *b) {
  double elapsed = (double)(b->at - a->at) / 1e9;
  double server = (double)(b->server - a->server) / 1e9, generator = (double)(b->generator - a->generator) / 1e9;
  printf("{\"requests\":%llu,\"seconds\":%.6f,", (unsigned long long)(b->requests - a->requests), elapsed);
  printf("\"serverCpuSeconds\":%.6f,\"generatorCpuSeconds\":%.6f,", server, generator);
  printf("\"othersOnServerCore\":%.4f,", share_of_others(b->busy[0] - a->busy[0], server, elapsed));
  printf("\"othersOnGeneratorCore\":%.4f,", share_of_others(b->busy[1] - a->busy[1], generator, elapsed));
  printf("\"latencyMicros\":{\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}}\n",
         percentile_micros(0.5), percentile_micros(0.9), percentile_micros(0.99), percentile_micros(0.999),
         (double)latency_max / 1000);
  fflush(stdout);
}

static void parse(int argc, char **argv) {
  const char *modes[] = {"framed", "line", "churn", "idle", "checked", "serve"};
  for (int i = 1; i < argc; i++) {
    char *value = strchr(argv[i], '=');
    if (!value) fail("%s is not name=value", argv[i]);
    *value++ = 0;
    if (!strcmp(argv[i], "mode")) {
      for (mode = 0; mode <= SERVE && strcmp(value, modes[mode]);) mode++;
    } else if (!strcmp(argv[i], "port")) port = atol(value);
    else if (!strcmp(argv[i], "connections")) connections = atol(value);
    else if (!strcmp(argv[i], "depth")) depth = atoi(value);
    else if (!strcmp(argv[i], "bytes")) bytes = atol(value);
    else if (!strcmp(argv[i], "warmup")) warmup = atof(value);
    else if (!strcmp(argv[i], "seconds")) seconds = atof(value);
    else if (!strcmp(argv[i], "rate")) rate = atof(value);
    else if (!strcmp(argv[i], "pid")) {
      for (char *pid = strtok(value, ","); pid; pid = strtok(NULL, ",")) {
        if (server_count == MAX_PIDS) fail("more than %d processes", MAX_PIDS);
        if (atol(pid) > 0) server_pids[server_count++] = (pid_t)atol(pid);
      }
    }
    else if (!strcmp(argv[i], "core")) server_core = atol(value);
    else fail("there is no option %s", argv[i]);
  }
  if (mode > SERVE || (mode != SERVE && port < 1) || connections < 1 || depth < 1 || bytes < STAMP + 4 || rate < 0) {
    fail("an option is out of range");
  }
  if (rate > 0 && (mode == CHURN || mode == IDLE)) fail("rate is for conversations that go on");
  if (mode == CHURN || mode == IDLE) depth = 1;
}

/* Keeps what is open open, and ends each connection that the server ends; until stdin ends. */
static void idle(void) {
  struct epoll_event end = {.events = EPOLLIN, .data.ptr = NULL}, events[256];
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, 0, &end)) fail("epoll_ctl: %s", strerror(errno));
  for (;;) {
    int n = epoll_wait(epoll_fd, events, 256, -1);
    for (int i = 0; i < n; i++) {
      if (events[i].data.ptr) handle(events[i].data.ptr, events[i].events);
      else if (read(0, input, sizeof input) <= 0) return;
    }
  }
}

/* Sends back what comes. A client under test has few bytes in flight, so what does not leave at once is an error. */
static void serve(void) {
  struct epoll_event events[256], watch = {.events = EPOLLIN, .data.fd = 0};
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1024)) fail("listen: %s", strerror(errno));
  getsockname(listener, (struct sockaddr *)&address, &length);
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, 0, &watch);
  watch.data.fd = listener;
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &watch);
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    int n = epoll_wait(epoll_fd, events, 256, -1);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        watch.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (watch.data.fd < 0) continue;
        setsockopt(watch.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, watch.data.fd, &watch);
        continue;
      }
      ssize_t size = read(fd, input, READ_BYTES);
      if (fd == 0 && size <= 0) return;
      if (fd == 0) continue;
      if (size <= 0) close(fd);
      else if (send(fd, input, (size_t)size, MSG_NOSIGNAL) != size) fail("send: %s", strerror(errno));
    }
  }
}

int main(int argc, char **argv) {
  struct rlimit files;
  parse(argc, argv);
  alarm((unsigned)(warmup + seconds) + 60); /* it stops by itself, whatever happens */
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  epoll_fd = epoll_create1(0);
  if (mode == SERVE) {
    alarm(600);
    serve();
    return 0;
  }
  make_frames();
  Connection *all = calloc((size_t)connections, sizeof *all);
  for (long i = 0; i < connections; i++) {
    all[i].index = (uint32_t)i;
    all[i].sent_at = calloc((size_t)depth, sizeof *all[i].sent_at);
    dial(&all[i]);
    if (i % 128 == 127) step(STALL_MILLIS); /* the server's backlog is not what is measured */
  }
  if (mode == IDLE) {
    while (done < (uint64_t)connections) {
      if (step(STALL_MILLIS) == 0) fail("only %llu of %ld were served", (unsigned long long)done, connections);
    }
    printf("{\"ready\":%ld}\n", connections);
    fflush(stdout);
    idle();
    return 0;
  }
  begin = nanos(CLOCK_MONOTONIC) + 200000000u; /* by then all are connected */
  drive(all, nanos(CLOCK_MONOTONIC) + (uint64_t)(warmup * 1e9));
  memset(buckets, 0, sizeof buckets);
  latency_max = 0;
  Snapshot from = snapshot();
  drive(all, from.at + (uint64_t)(seconds * 1e9));
  Snapshot to = snapshot();
  print(&from, &to);
  return 0;
}
