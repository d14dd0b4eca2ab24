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
#include <stdarg.h>

#include "agent.h"
#include "delete-queue.h"
#include "errors.h"
#include "json-reader.h"
#include "json-text.h"

#define INPUT_MAX (1024 * 1024) // bytes of network configuration
#define DEFAULT_SOCKET "/run/isthmus/isthmus.sock"
#define UNAVAILABLE 50 // specification, "STATUS": ADD cannot be served

static const char *const VERSIONS[] = {"0.3.1", "0.4.0", "1.0.0", "1.1.0"};
#define NEWEST VERSIONS[sizeof VERSIONS / sizeof *VERSIONS - 1]

static struct buffer config; // standard input, NUL-terminated

static const char *env(const char *key) {
  const char *value = getenv(key);
  return value ? value : "";
}

static bool print(const struct buffer *b) {
  if (b->length) fwrite(b->data, 1, b->length, stdout);
  return fflush(stdout) == 0;
}

// cniVersion of the configuration when we speak it, otherwise NULL.
static const char *spoken_version(void) {
  char version[16];
  if (!copy_string(find_member(config.data, "cniVersion"), version, sizeof version)) return NULL;
  for (size_t i = 0; i < sizeof VERSIONS / sizeof *VERSIONS; i++)
    if (strcmp(VERSIONS[i], version) == 0) return VERSIONS[i];
  return NULL;
}

// Prints a CNI error (specification, section "Error") and answers the exit status.
__attribute__((format(printf, 3, 4))) static int fail(const struct error *error, int number, const char *format, ...) {
  struct buffer out = {0};
  char code[32], message[PATH_MAX + 1024];
  int length = snprintf(message, sizeof message, "%s: ", error->code);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message + length, sizeof message - length, format, arguments);
  va_end(arguments);
  snprintf(code, sizeof code, ",\"code\":%d,", number);
  append_text(&out, "{");
  append_member(&out, "cniVersion", config.data && spoken_version() ? spoken_version() : NEWEST);
  append_text(&out, code);
  append_member(&out, "msg", message);
  append_text(&out, ",");
  append_member(&out, "details", error->action);
  append_text(&out, "}\n");
  print(&out);
  return 1;
}

#define FAIL(error, ...) fail(&(error), (error).number, __VA_ARGS__)

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

// A path: of the environment, of the configuration, or empty. False when the configuration has something else there.
static bool find_path(const char *variable, const char *key, char *path, size_t room) {
  const char *value = find_member(config.data, key);
  *path = 0;
  if (*env(variable)) return snprintf(path, room, "%s", env(variable)) < (int)room;
  return !value || copy_string(value, path, room);
}

static bool is_cni_error(const char *text) {
  const char *code = find_member(text, "code"), *msg = find_member(text, "msg");
  return code && isdigit((unsigned char)*code) && msg && *msg == '"';
}

// Prints what the agent answered. Only ADD has a result; the others say nothing when all is well.
static int report(int status, const struct buffer *body) {
  const char *text = body->length ? body->data : "";
  bool sound = is_object(text, body->length);
  char message[1024] = "";
  if (status == 200 && sound) return is("ADD") && !print(body);
  if (status != 200 && sound && is_cni_error(text)) {
    print(body);
    return 1;
  }
  if (sound) copy_string(find_member(text, "message"), message, sizeof message);
  return FAIL(AGENT_ANSWER, "the agent answered HTTP %d%s%s", status, *message ? ": " : "", message);
}

static int fail_unreachable(const char *path, int error) {
  const struct error *kind = error == EACCES || error == EPERM ? &AGENT_DENIED : &AGENT_UNREACHABLE;
  return fail(kind, is("STATUS") ? UNAVAILABLE : kind->number, "the agent does not answer at %s: %s", path, strerror(error));
}

// `<state>/delete-queue`; the state directory is the socket's, unless another one is named.
static void queue_path(const char *socket, const char *state_dir, char *path, size_t room) {
  char state[PATH_MAX];
  snprintf(state, sizeof state, "%s", *state_dir ? state_dir : socket);
  char *slash = *state_dir ? NULL : strrchr(state, '/');
  if (!*state_dir) snprintf(slash ? slash : state, 2, slash ? "" : ".");
  mkdir(state, 0755);
  snprintf(path, room, "%.3000s/delete-queue", state);
  mkdir(path, 0700);
}

static int fail_queue(const char *path, int error) {
  return FAIL(QUEUE_UNUSABLE, "the agent does not answer, and the deletion cannot be queued in %s: %s (at most %d entries)", path,
              strerror(error), QUEUE_MAX);
}

// The agent listens first and empties the queue after. So the second call below closes the gap: either it reaches the agent, or the
// file was there before the agent looked. Both may happen, and a deletion may be done twice; but never after a later ADD, which
// takes the file away (apps/agent/src/cni/delete-queue.ts).
static int delete_later(const char *socket, const char *state_dir, const struct buffer *body) {
  char path[PATH_MAX], name[NAME_MAX + 1];
  int status;
  struct buffer answer = {0};
  queue_path(socket, state_dir, path, sizeof path);
  // The colon is in neither part: names of different attachments cannot meet.
  int length = snprintf(name, sizeof name, "%s:%s.json", env("CNI_CONTAINERID"), env("CNI_IFNAME"));
  if (length >= (int)sizeof name) return fail_queue(path, ENAMETOOLONG);
  int dir = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  if (!enqueue(dir, name, body)) return fail_queue(path, errno);
  if (!call_agent(socket, "DEL", body, &status, &answer)) return is_away(errno) ? 0 : fail_unreachable(socket, errno);
  unlinkat(dir, name, 0);
  return report(status, &answer);
}

static int call(void) {
  char socket[PATH_MAX], state_dir[PATH_MAX];
  int status;
  struct buffer body = request_body(), answer = {0};
  if (!find_path("ISTHMUS_SOCK", "socketPath", socket, sizeof socket))
    return FAIL(CONFIG_INVALID, "socketPath is not a plain path");
  if (!find_path("ISTHMUS_STATE_DIR", "stateDir", state_dir, sizeof state_dir))
    return FAIL(CONFIG_INVALID, "stateDir is not a plain path");
  if (!*socket) strcpy(socket, DEFAULT_SOCKET);
  if (call_agent(socket, env("CNI_COMMAND"), &body, &status, &answer)) return report(status, &answer);
  return is("DEL") && is_away(errno) ? delete_later(socket, state_dir, &body) : fail_unreachable(socket, errno);
}

static void append_versions(struct buffer *out, const char *separator) {
  for (size_t i = 0; i < sizeof VERSIONS / sizeof *VERSIONS; i++) {
    if (i) append_text(out, separator);
    append_text(out, VERSIONS[i]);
  }
}

static int answer_version(void) {
  struct buffer out = {0};
  char version[64];
  if (!copy_string(find_member(config.data, "cniVersion"), version, sizeof version)) strcpy(version, NEWEST);
  append_text(&out, "{");
  append_member(&out, "cniVersion", version);
  append_text(&out, ",\"supportedVersions\":[\"");
  append_versions(&out, "\",\"");
  append_text(&out, "\"]}\n");
  return print(&out) ? 0 : 1;
}

// A configuration without a version is one of 0.1.0, which came before there was one.
static int fail_version(void) {
  struct buffer spoken = {0};
  char version[64] = "0.1.0";
  const char *value = find_member(config.data, "cniVersion");
  if (value && !copy_string(value, version, sizeof version)) return FAIL(CONFIG_MALFORMED, "cniVersion is not a version");
  append_versions(&spoken, ", ");
  return FAIL(VERSION_UNSUPPORTED, "cniVersion %s is not one of %s", version, spoken.data);
}

int main(void) {
  if (!read_config()) return FAIL(INPUT_UNREADABLE, "cannot read the network configuration: %s", strerror(errno));
  const char *wrong = wrong_variable();
  if (wrong) return FAIL(ENVIRONMENT, "%s is missing or malformed", wrong);
  if (is("VERSION")) return answer_version();
  if (!is_object(config.data, config.length)) return FAIL(CONFIG_MALFORMED, "the network configuration is not a JSON object");
  return spoken_version() ? call() : fail_version();
}
