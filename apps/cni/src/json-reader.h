// SPDX-License-Identifier: Apache-2.0
//
// As much reading of JSON (RFC 8259) as telling a sound text from a broken one takes, and finding a member of an object. The agent
// parses what it gets; but a broken configuration must be refused while no agent runs, too, and must not change the meaning of the
// request that it is put into. The skip functions answer what comes behind, or NULL where the text is broken.

#pragma once
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define DEPTH_MAX 128 // objects and lists inside each other

static const char *skip_space(const char *at) { return at + strspn(at, " \t\r\n"); }

static const char *skip_escape(const char *at) {
  if (*++at != 'u') return *at && strchr("\"\\/bfnrt", *at) ? at + 1 : NULL;
  for (int i = 0; i < 4; i++)
    if (!isxdigit((unsigned char)*++at)) return NULL;
  return at + 1;
}

static const char *skip_string(const char *at) {
  if (*at++ != '"') return NULL;
  while (at && *at != '"') {
    if ((unsigned char)*at < 0x20) return NULL; // the end of the text is one of them
    at = *at == '\\' ? skip_escape(at) : at + 1;
  }
  return at ? at + 1 : NULL;
}

static const char *skip_digits(const char *at) {
  size_t digits = strspn(at, "0123456789");
  return digits ? at + digits : NULL;
}

static const char *skip_number(const char *at) {
  at += *at == '-';
  at = *at == '0' ? at + 1 : skip_digits(at);
  if (at && *at == '.') at = skip_digits(at + 1);
  if (!at || (*at != 'e' && *at != 'E')) return at;
  at++;
  return skip_digits(at + (*at == '+' || *at == '-'));
}

static const char *skip_word(const char *at) {
  static const char *const words[] = {"true", "false", "null"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strncmp(at, words[i], strlen(words[i])) == 0) return at + strlen(words[i]);
  return NULL;
}

// From a member's name to its value.
static const char *skip_name(const char *at) {
  at = skip_string(at);
  if (!at || *(at = skip_space(at)) != ':') return NULL;
  return skip_space(at + 1);
}

static const char *skip_value(const char *at, int depth);

static const char *skip_container(const char *at, int depth) {
  char close = *at == '{' ? '}' : ']';
  at = skip_space(at + 1);
  if (*at == close) return at + 1;
  for (;;) {
    if (close == '}' && !(at = skip_name(at))) return NULL;
    if (!(at = skip_value(at, depth))) return NULL;
    at = skip_space(at);
    if (*at == close) return at + 1;
    if (*at != ',') return NULL;
    at = skip_space(at + 1);
  }
}

static const char *skip_value(const char *at, int depth) {
  if (*at == '{' || *at == '[') return depth > 0 ? skip_container(at, depth - 1) : NULL;
  if (*at == '"') return skip_string(at);
  return *at == '-' || isdigit((unsigned char)*at) ? skip_number(at) : skip_word(at);
}

// True when the text is one JSON object and nothing else, a NUL included.
static bool is_object(const char *text, size_t length) {
  const char *at = skip_space(text);
  if (*at != '{') return false;
  at = skip_value(at, DEPTH_MAX);
  return at && (size_t)(skip_space(at) - text) == length;
}

// The value of a member of the outermost object; NULL when there is none.
static const char *find_member(const char *text, const char *key) {
  size_t length = strlen(key);
  const char *at = skip_space(text);
  if (*at != '{') return NULL;
  at = skip_space(at + 1);
  while (at && *at == '"') {
    bool found = strncmp(at + 1, key, length) == 0 && at[length + 1] == '"';
    at = skip_name(at);
    if (!at || found) return at;
    at = skip_value(at, DEPTH_MAX);
    if (at && *(at = skip_space(at)) == ',') at = skip_space(at + 1);
  }
  return NULL;
}

// Copies a value when it is a string without escapes that fits.
static bool copy_string(const char *value, char *copy, size_t room) {
  size_t length = value && *value == '"' ? strcspn(value + 1, "\"\\") : room;
  if (length >= room || value[length + 1] != '"') return false;
  memcpy(copy, value + 1, length);
  copy[length] = 0;
  return true;
}
