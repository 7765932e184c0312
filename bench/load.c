/*
 * The load generator: a closed loop over many connections, in one thread with epoll, so that it needs a fraction of what a server needs.
 * It knows nothing of any protocol but a byte that ends a reply and what is sent to say goodbye.
 *
 *   load HOST PORT MODE CONNECTIONS DEPTH SECONDS WARM_UP_SECONDS REQUEST REPLY_END GOODBYE
 *
 * MODE  pipeline  each connection sends DEPTH requests in one write, waits for DEPTH replies, and so on
 *       sessions  each connection connects, asks once, sends GOODBYE, waits for the server's FIN and begins anew (DEPTH is ignored)
 *       flood     each connection sends DEPTH requests after DEPTH requests without ever waiting, and reads what comes; one more,
 *                 quiet, asks once and waits, every millisecond: the latencies are its own
 *
 * Once every connection was answered and the warm-up is over it prints {"started":true}; at the end one line of JSON: requests (sessions)
 * answered, seconds, latencies in microseconds (of a batch in `pipeline`, of a session in `sessions`), and `busy`, the share of one
 * core that it took itself: with that well below 1 it was not what limited the server.
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

enum mode { PIPELINE, SESSIONS, FLOOD };
enum state { CONNECTING, RESTING, ASKED, LEAVING };

struct client {
  int fd;
  enum state state;
  int quiet;
  int served;    /* whether it has ever been answered */
  int awaited;   /* replies that have not come */
  size_t unsent; /* of the batch that is being sent */
  uint64_t since;
};

/* Connections that are being opened at once, fewer than any server's backlog. One is open when it was answered: the kernel says so
 * long before a busy server, which may accept one client in each turn of its loop. */
#define AT_ONCE 100
/* Latencies to three figures: 2^k groups of 1,024 steps, in nanoseconds. */
#define STEPS 1024
#define GROUPS 54
/* What a flooding client sends before others have their turn, so that the quiet one does not wait for the generator. */
#define FLOOD_TURN 65536
#define QUIET_NS 1000000u
#define TO_CONNECT_NS 15000000000u

static uint64_t counts[GROUPS][STEPS], recorded, answered;
static struct sockaddr_in address;
static enum mode mode;
static char *batch, *request, *goodbye, reply_end;
static size_t batch_length, request_length, goodbye_length;
static int epoll_fd, depth, opened, loading, measuring;

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
  for (int group = 0; group < GROUPS; group++)
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
  if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, client->fd, &event) == -1) fail("epoll_ctl");
}

/* Sends what is left of the batch; a flood goes on with another, until its turn is over. */
static void send_rest(struct client *client) {
  const char *bytes = client->quiet ? request : batch;
  size_t length = client->quiet ? request_length : batch_length, turn = 0;
  int floods = mode == FLOOD && !client->quiet && loading;
  while (client->unsent > 0) {
    ssize_t sent = send(client->fd, bytes + length - client->unsent, client->unsent, MSG_NOSIGNAL);
    if (sent == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      watch(client, EPOLLIN | EPOLLOUT);
      return;
    }
    if (sent == -1) fail("send");
    client->unsent -= (size_t)sent;
    turn += (size_t)sent;
    if (floods && client->unsent == 0) client->unsent = length;
    if (floods && turn >= FLOOD_TURN) {
      watch(client, EPOLLIN | EPOLLOUT);
      return;
    }
  }
}

static void ask(struct client *client) {
  int single = client->quiet || mode == SESSIONS;
  client->since = mode == SESSIONS ? client->since : now(); /* a session began when it was dialled */
  client->state = ASKED;
  client->awaited = single ? 1 : depth;
  client->unsent = single ? request_length : batch_length;
  send_rest(client);
}

static void say_goodbye(struct client *client) {
  client->state = LEAVING;
  if (send(client->fd, goodbye, goodbye_length, MSG_NOSIGNAL) != (ssize_t)goodbye_length) fail("send");
}

static void is_over(struct client *client, ssize_t length) {
  if (length == -1) fail("recv");
  if (client->state != LEAVING) {
    fprintf(stderr, "a connection was closed by the server\n");
    exit(1);
  }
  record(now() - client->since);
  answered += (uint64_t)measuring;
  close(client->fd);
  dial(client);
}

static void receive(struct client *client) {
  static char bytes[1 << 18];
  ssize_t length = recv(client->fd, bytes, sizeof bytes, 0);
  if (length == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (length <= 0) {
    is_over(client, length);
    return;
  }
  int replies = 0;
  for (char *at = bytes, *end = bytes + length; (at = memchr(at, reply_end, (size_t)(end - at))) != NULL; at++) replies++;
  if (replies > 0 && !client->served) {
    client->served = 1;
    opened++;
  }
  if (mode != SESSIONS && measuring && !client->quiet) answered += (uint64_t)replies;
  if (client->state != ASKED || (mode == FLOOD && !client->quiet)) return;
  client->awaited -= replies;
  if (client->awaited > 0) return;
  if (mode == SESSIONS) {
    say_goodbye(client);
    return;
  }
  record(now() - client->since);
  if (client->quiet || !loading) client->state = RESTING;
  else ask(client);
}

static void is_connected(struct client *client) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    fprintf(stderr, "connect: %s\n", strerror(error));
    exit(1);
  }
  watch(client, EPOLLIN);
  ask(client);
}

/* What has happened, and nothing else: waits for a millisecond at most where there is a quiet client. */
static void turn(struct client *quiet) {
  struct epoll_event events[512];
  int count = epoll_wait(epoll_fd, events, 512, quiet ? 1 : 100);
  for (int i = 0; i < count; i++) {
    struct client *client = events[i].data.ptr;
    if (client->state == CONNECTING) {
      is_connected(client);
      continue;
    }
    if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive(client);
    if ((events[i].events & EPOLLOUT) != 0 && client->state == ASKED) {
      if (mode != FLOOD || client->quiet) watch(client, EPOLLIN);
      send_rest(client);
    }
  }
  if (quiet != NULL && quiet->state == RESTING && now() - quiet->since > QUIET_NS) ask(quiet);
}

static void run(double seconds, struct client *quiet) {
  uint64_t end = now() + (uint64_t)(seconds * 1e9);
  while (now() < end) turn(quiet);
}

/*
 * All clients, a few at once; in `flood` the last is the quiet one. Each asks once and rests until all are open: under load the
 * last would have to wait for very long.
 */
static void open_all(struct client *clients, int count) {
  uint64_t end = now() + TO_CONNECT_NS;
  for (int dialled = 0; opened < count;) {
    while (dialled < count && dialled - opened < AT_ONCE) dial(&clients[dialled++]);
    turn(NULL);
    if (now() < end) continue;
    fprintf(stderr, "%d of %d connections were answered in time\n", opened, count);
    exit(1);
  }
  loading = 1;
  for (int i = 0; i < count; i++) {
    int rests = clients[i].state == RESTING, floods = mode == FLOOD;
    if ((rests || floods) && !clients[i].quiet) ask(&clients[i]);
  }
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void measure(double seconds, struct client *quiet) {
  measuring = 1;
  printf("{\"started\":true}\n");
  fflush(stdout);
  double cpu = cpu_seconds();
  uint64_t start = now();
  run(seconds, quiet);
  double took = (double)(now() - start) / 1e9;
  printf("{\"answered\":%llu,\"seconds\":%.4f,\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"busy\":%.3f}\n",
         (unsigned long long)answered, took, percentile(0.5), percentile(0.99), percentile(0.999),
         (cpu_seconds() - cpu) / took);
}

int main(int argc, char **argv) {
  if (argc != 11) {
    fprintf(stderr, "load HOST PORT pipeline|sessions|flood CONNECTIONS DEPTH SECONDS WARM_UP_SECONDS REQUEST REPLY_END GOODBYE\n");
    return 2;
  }
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)atoi(argv[2]));
  if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) fail("address");
  mode = strcmp(argv[3], "sessions") == 0 ? SESSIONS : strcmp(argv[3], "flood") == 0 ? FLOOD : PIPELINE;
  int connections = atoi(argv[4]);
  depth = atoi(argv[5]);
  request = argv[8];
  request_length = strlen(request);
  reply_end = argv[9][0];
  goodbye = argv[10];
  goodbye_length = strlen(goodbye);
  batch_length = request_length * (size_t)depth;
  batch = malloc(batch_length + 1);
  for (int i = 0; i < depth; i++) memcpy(batch + (size_t)i * request_length, request, request_length);

  epoll_fd = epoll_create1(0);
  int all = connections + (mode == FLOOD);
  struct client *clients = calloc((size_t)all, sizeof *clients), *quiet = mode == FLOOD ? &clients[all - 1] : NULL;
  if (quiet != NULL) quiet->quiet = 1;
  open_all(clients, all);
  run(atof(argv[7]), quiet);
  measure(atof(argv[6]), quiet);
  return 0;
}
