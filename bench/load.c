/*
 * The load generator: a closed loop over many connections, in one thread with epoll, so that it needs a fraction of what a server needs.
 * It knows nothing of any protocol but a byte that ends a reply.
 *
 *   load HOST PORT MODE CONNECTIONS DEPTH SECONDS REQUEST [REPLY_END] [SEED_SECONDS]
 *
 * MODE  pipeline  each connection sends DEPTH requests in one write, waits for DEPTH replies, and so on
 *       sessions  each connection connects, asks once, sends QUIT, waits for the server's FIN and begins anew (DEPTH is ignored)
 *       flood     each connection sends without ever waiting, and reads what comes; one more, quiet, asks once and waits, every
 *                 millisecond: the latencies are its own
 *
 * Prints one line of JSON: requests answered, seconds, latencies in microseconds (of a batch in `pipeline`, of a session in `sessions`),
 * and what processor time it took itself: with `busy` well below 1 it was not what limited the server.
 */
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

enum { PIPELINE, SESSIONS, FLOOD };
enum { CONNECTING, ASKED, QUITTING };

struct client {
  int fd;
  int state;
  int quiet;
  int awaited;   /* replies that have not come */
  size_t unsent; /* of the batch that is being sent */
  uint64_t since;
};

/* Latencies to three figures: 2^k groups of 1,024 steps, in nanoseconds. */
#define STEPS 1024
static uint64_t counts[54][STEPS], recorded, answered;
static struct sockaddr_in address;
static char *batch, *request, reply_end = '\n';
static size_t batch_length, request_length;
static int epoll_fd, mode, depth, measuring, alive;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void record(uint64_t ns) {
  if (!measuring) return;
  int group = 0;
  while ((ns >> group) >= STEPS) group++;
  counts[group][ns >> group]++;
  recorded++;
}

static double percentile(double share) {
  uint64_t wanted = (uint64_t)(share * (double)recorded), seen = 0;
  for (int group = 0; group < 54; group++)
    for (int step = 0; step < STEPS; step++) {
      seen += counts[group][step];
      if (seen > wanted) return (double)((uint64_t)step << group) / 1000;
    }
  return 0;
}

static void dial(struct client *client) {
  client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (client->fd == -1) fail("socket");
  int on = 1;
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  client->state = CONNECTING;
  client->since = now();
  if (connect(client->fd, (struct sockaddr *)&address, sizeof address) == -1 && errno != EINPROGRESS) fail("connect");
  struct epoll_event event = {.events = EPOLLOUT, .data.ptr = client};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, client->fd, &event) == -1) fail("epoll_ctl");
}

static void watch(struct client *client, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = client};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, client->fd, &event);
}

/* Sends what is left of the batch; a flood begins another at once. */
static void send_rest(struct client *client) {
  const char *bytes = client->quiet ? request : batch;
  size_t length = client->quiet ? request_length : batch_length;
  for (;;) {
    while (client->unsent > 0) {
      ssize_t sent = send(client->fd, bytes + length - client->unsent, client->unsent, MSG_NOSIGNAL);
      if (sent == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        watch(client, EPOLLIN | EPOLLOUT);
        return;
      }
      if (sent == -1) fail("send");
      client->unsent -= (size_t)sent;
    }
    if (mode != FLOOD || client->quiet) break;
    client->unsent = length;
  }
}

static void ask(struct client *client) {
  int single = mode != PIPELINE;
  client->since = now();
  client->state = ASKED;
  client->awaited = single ? 1 : depth;
  client->unsent = client->quiet || mode == SESSIONS ? request_length : batch_length;
  if (mode == SESSIONS) {
    if (send(client->fd, request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length) fail("send");
    client->unsent = 0;
  } else {
    send_rest(client);
  }
}

static void redial(struct client *client) {
  close(client->fd);
  dial(client);
}

static void receive(struct client *client) {
  static char bytes[1 << 18];
  ssize_t length = recv(client->fd, bytes, sizeof bytes, 0);
  if (length == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (length <= 0) {
    if (client->state != QUITTING) {
      fprintf(stderr, "a connection was closed by the server\n");
      exit(1);
    }
    record(now() - client->since);
    answered += (uint64_t)measuring;
    redial(client);
    return;
  }
  int replies = 0;
  for (char *at = bytes, *end = bytes + length; (at = memchr(at, reply_end, (size_t)(end - at))) != NULL; at++) replies++;
  if (mode != SESSIONS && measuring && !client->quiet) answered += (uint64_t)replies;
  client->awaited -= replies;
  if (client->awaited > 0 || client->state != ASKED) return;
  if (mode == SESSIONS) {
    client->state = QUITTING;
    if (send(client->fd, "QUIT\r\n", 6, MSG_NOSIGNAL) != 6) fail("send");
    return;
  }
  if (mode == FLOOD && !client->quiet) return;
  record(now() - client->since);
  if (client->quiet) client->state = CONNECTING; /* asks again at its time */
  else ask(client);
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void run(double seconds, struct client *quiet) {
  struct epoll_event events[512];
  uint64_t end = now() + (uint64_t)(seconds * 1e9);
  while (now() < end) {
    int count = epoll_wait(epoll_fd, events, 512, quiet ? 1 : 100);
    for (int i = 0; i < count; i++) {
      struct client *client = events[i].data.ptr;
      if (client->state == CONNECTING && !(client->quiet && client->since > 1)) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) {
          fprintf(stderr, "connect: %s\n", strerror(error));
          exit(1);
        }
        watch(client, EPOLLIN);
        alive++;
        ask(client);
        continue;
      }
      if ((events[i].events & EPOLLOUT) != 0 && client->state == ASKED) {
        if (mode != FLOOD || client->quiet) watch(client, EPOLLIN);
        send_rest(client);
      }
      if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive(client);
    }
    if (quiet != NULL && quiet->state == CONNECTING && quiet->since > 1 && now() - quiet->since > 1000000u) ask(quiet);
  }
}

int main(int argc, char **argv) {
  if (argc < 8) {
    fprintf(stderr, "load HOST PORT pipeline|sessions|flood CONNECTIONS DEPTH SECONDS REQUEST [REPLY_END] [SEED_SECONDS]\n");
    return 2;
  }
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)atoi(argv[2]));
  if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) fail("address");
  mode = strcmp(argv[3], "sessions") == 0 ? SESSIONS : strcmp(argv[3], "flood") == 0 ? FLOOD : PIPELINE;
  int connections = atoi(argv[4]);
  depth = atoi(argv[5]);
  double seconds = atof(argv[6]);
  request = argv[7];
  request_length = strlen(request);
  if (argc > 8) reply_end = argv[8][0];
  double seed = argc > 9 ? atof(argv[9]) : 1;
  batch_length = request_length * (size_t)depth;
  batch = malloc(batch_length + 1);
  for (int i = 0; i < depth; i++) memcpy(batch + (size_t)i * request_length, request, request_length);

  epoll_fd = epoll_create1(0);
  struct client *clients = calloc((size_t)connections + 1, sizeof *clients);
  for (int i = 0; i < connections; i++) dial(&clients[i]);
  struct client *quiet = NULL;
  if (mode == FLOOD) {
    quiet = &clients[connections];
    quiet->quiet = 1;
    dial(quiet);
    quiet->since = 1;
  }
  run(seed, quiet); /* until everything is compiled and every connection is open */
  measuring = 1;
  printf("{\"started\":true}\n");
  fflush(stdout);
  double cpu = cpu_seconds();
  uint64_t start = now();
  run(seconds, quiet);
  double took = (double)(now() - start) / 1e9;
  printf("{\"answered\":%llu,\"seconds\":%.4f,\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f,\"busy\":%.3f}\n",
         (unsigned long long)answered, took, percentile(0.5), percentile(0.99), percentile(0.999), percentile(0.9999999),
         (cpu_seconds() - cpu) / took);
  return 0;
}
