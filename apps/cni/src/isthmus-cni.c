// SPDX-License-Identifier: Apache-2.0
//
// The CNI plugin of Isthmus, as a container runtime sees it. It knows nothing about networks: it carries one CNI call (environment
// and standard input) to the agent of its node over a unix socket, and the answer back. It is C because a runtime starts it for
// every pod event and a static binary starts in a millisecond.
//
// Agent not reachable: ADD, CHECK, GC fail with CNI code 11 (try again later), STATUS with 50 (plugin not available). DEL does not
// fail when no agent runs: its request goes to a queue on disk, which the agent works off when it starts.
//
// CNI specification 1.1.0: https://github.com/containernetworking/cni/blob/main/SPEC.md

#define _GNU_SOURCE
#include <ctype.h>

#include "agent.h"
#include "delete-queue.h"
#include "json.h"

#define INPUT_MAX (1024 * 1024) // bytes of network configuration
#define DEFAULT_SOCKET "/run/isthmus/isthmus.sock"
#define DEFAULT_VERSION "1.1.0"

// Codes of the specification, section "Error"; from 100 on they are the plugin's own.
enum cni_code { CODE_ENVIRONMENT = 4, CODE_IO = 5, CODE_DECODE = 6, CODE_AGAIN = 11, CODE_UNAVAILABLE = 50, CODE_AGENT = 100 };

static struct buffer config;               // standard input, NUL-terminated
static char version[32] = DEFAULT_VERSION; // cniVersion of the configuration

static const char *env(const char *key) {
  const char *value = getenv(key);
  return value ? value : "";
}

static bool print(const struct buffer *b) {
  if (b->length) fwrite(b->data, 1, b->length, stdout);
  return fflush(stdout) == 0;
}

// Prints a CNI error (specification, section "Error") and answers the exit status.
static int fail(enum cni_code code, const char *message, const char *details) {
  struct buffer out = {0};
  char number[32];
  snprintf(number, sizeof number, ",\"code\":%d,", code);
  append_text(&out, "{");
  append_member(&out, "cniVersion", version);
  append_text(&out, number);
  append_member(&out, "msg", message);
  append_text(&out, ",");
  append_member(&out, "details", details);
  append_text(&out, "}\n");
  print(&out);
  return 1;
}

static bool config_string(const char *key, char *value, size_t room) { return top_level_string(config.data, key, value, room); }

static bool read_config(void) {
  char chunk[16384];
  ssize_t got;
  append(&config, "", 0);
  while ((got = read(STDIN_FILENO, chunk, sizeof chunk)) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    append(&config, chunk, got);
    if (config.length > INPUT_MAX) {
      errno = EFBIG;
      return false;
    }
  }
  return true;
}

static const char *const COMMANDS[] = {"ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"};

static bool is(const char *command) { return strcmp(env("CNI_COMMAND"), command) == 0; }

static bool is_command(void) {
  for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++)
    if (is(COMMANDS[i])) return true;
  return false;
}

// Specification, "Parameters": alphanumeric, then also underscore, dot, hyphen. It becomes a file name in the queue.
static bool is_container_id(const char *id) {
  if (!isalnum((unsigned char)*id)) return false;
  for (; *id; id++)
    if (!isalnum((unsigned char)*id) && !strchr("_.-", *id)) return false;
  return true;
}

static bool is_interface_name(const char *name) {
  return *name && strlen(name) < 16 && strcmp(name, ".") && strcmp(name, "..") && !strpbrk(name, "/: \t\r\n\v\f");
}

// The name of the first variable that is missing or malformed for this command; NULL when all is well.
static const char *wrong_variable(void) {
  if (!is_command()) return "CNI_COMMAND";
  if (!is("ADD") && !is("DEL") && !is("CHECK")) return NULL;
  if (!is_container_id(env("CNI_CONTAINERID"))) return "CNI_CONTAINERID";
  if (!is_interface_name(env("CNI_IFNAME"))) return "CNI_IFNAME";
  return is("DEL") || *env("CNI_NETNS") ? NULL : "CNI_NETNS";
}

static struct buffer request_body(void) {
  static const char *const members[][2] = {
      {"command", "CNI_COMMAND"}, {"containerId", "CNI_CONTAINERID"},
      {"netns", "CNI_NETNS"},     {"ifname", "CNI_IFNAME"},
      {"args", "CNI_ARGS"},       {"path", "CNI_PATH"},
  };
  struct buffer body = {0};
  append_text(&body, "{");
  for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
    append_member(&body, members[i][0], env(members[i][1]));
    append_text(&body, ",");
  }
  append_text(&body, "\"config\":");
  append_text(&body, config.data);
  append_text(&body, "}");
  return body;
}

static void socket_path(char *path, size_t room) {
  if (*env("ISTHMUS_SOCK")) snprintf(path, room, "%s", env("ISTHMUS_SOCK"));
  else if (!config_string("socketPath", path, room)) snprintf(path, room, "%s", DEFAULT_SOCKET);
}

static int report(int status, const struct buffer *body) {
  char message[64];
  if (status != 200 && !(body->length && *skip_space(body->data) == '{')) {
    snprintf(message, sizeof message, "isthmus: the agent answered HTTP %d", status);
    return fail(CODE_AGENT, message, "Read the log of the isthmus agent on this node");
  }
  return print(body) && status == 200 ? 0 : 1;
}

static int fail_unreachable(const char *path, int error) {
  char details[PATH_MAX + 256];
  snprintf(details, sizeof details,
           "%s: %s. Start the isthmus agent on this node, or set ISTHMUS_SOCK or socketPath in the CNI configuration", path,
           strerror(error));
  return fail(is("STATUS") ? CODE_UNAVAILABLE : CODE_AGAIN, "isthmus: the agent is not reachable", details);
}

// `<state>/delete-queue`; the state directory is the socket's, unless ISTHMUS_STATE_DIR or stateDir in the configuration name
// another.
static void queue_path(const char *socket, char *path, size_t room) {
  char state[PATH_MAX];
  if (*env("ISTHMUS_STATE_DIR")) snprintf(state, sizeof state, "%s", env("ISTHMUS_STATE_DIR"));
  else if (!config_string("stateDir", state, sizeof state)) {
    snprintf(state, sizeof state, "%s", socket);
    char *slash = strrchr(state, '/');
    snprintf(slash ? slash : state, 2, slash ? "" : ".");
  }
  mkdir(state, 0755);
  snprintf(path, room, "%.3000s/delete-queue", state);
  mkdir(path, 0700);
}

static int fail_queue(const char *path, int error) {
  char details[PATH_MAX + 256];
  snprintf(details, sizeof details, "%s: %s (at most %d entries). Start the isthmus agent on this node: it empties the queue", path,
           strerror(error), QUEUE_MAX);
  return fail(CODE_AGAIN, "isthmus: the agent is not reachable and the deletion could not be queued", details);
}

// The agent listens first and empties the queue after. So the second call below closes the gap: either it reaches the agent, or the
// file was there before the agent looked. Both may happen, and a deletion may be done twice.
static int delete_later(const char *socket, const struct buffer *body) {
  char path[PATH_MAX], name[NAME_MAX + 1];
  int status;
  struct buffer answer = {0};
  queue_path(socket, path, sizeof path);
  // The colon is in neither part: names of different attachments cannot meet.
  int length = snprintf(name, sizeof name, "%s:%s.json", env("CNI_CONTAINERID"), env("CNI_IFNAME"));
  if (length >= (int)sizeof name) return fail_queue(path, ENAMETOOLONG);
  int dir = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  if (!enqueue(dir, name, body)) return fail_queue(path, errno);
  if (!call_agent(socket, "DEL", body, &status, &answer)) return is_away(errno) ? 0 : fail_unreachable(socket, errno);
  unlinkat(dir, name, 0);
  return report(status, &answer);
}

static int answer_version(void) {
  struct buffer out = {0};
  append_text(&out, "{");
  append_member(&out, "cniVersion", version);
  append_text(&out, ",\"supportedVersions\":[\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}\n");
  return print(&out) ? 0 : 1;
}

int main(void) {
  char socket[PATH_MAX];
  int status;
  struct buffer answer = {0};
  if (!read_config()) return fail(CODE_IO, "isthmus: cannot read the network configuration from standard input", strerror(errno));
  config_string("cniVersion", version, sizeof version);
  const char *wrong = wrong_variable();
  if (wrong) return fail(CODE_ENVIRONMENT, "isthmus: an environment variable is missing or malformed", wrong);
  if (is("VERSION")) return answer_version();
  if (!is_object(config.data, config.length))
    return fail(CODE_DECODE, "isthmus: the network configuration is not a JSON object", "Pass one JSON object on standard input");
  struct buffer body = request_body();
  socket_path(socket, sizeof socket);
  if (call_agent(socket, env("CNI_COMMAND"), &body, &status, &answer)) return report(status, &answer);
  return is("DEL") && is_away(errno) ? delete_later(socket, &body) : fail_unreachable(socket, errno);
}
