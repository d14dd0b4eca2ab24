// SPDX-License-Identifier: Apache-2.0
//
// Text that grows, strings written as JSON, and as much reading of JSON as finding a string at the top level takes.

#pragma once
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct buffer {
  char *data;
  size_t length, room;
};

static void append(struct buffer *b, const void *data, size_t length) {
  if (b->length + length + 1 > b->room) {
    b->room = (b->length + length + 1) * 2;
    b->data = realloc(b->data, b->room);
    if (!b->data) abort();
  }
  memcpy(b->data + b->length, data, length);
  b->length += length;
  b->data[b->length] = 0;
}

static void append_text(struct buffer *b, const char *text) { append(b, text, strlen(text)); }

static void append_json_string(struct buffer *b, const char *text) {
  append_text(b, "\"");
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    char escaped[8];
    if (*c == '"' || *c == '\\') snprintf(escaped, sizeof escaped, "\\%c", *c);
    else if (*c < 0x20) snprintf(escaped, sizeof escaped, "\\u%04x", *c);
    else snprintf(escaped, sizeof escaped, "%c", *c);
    append_text(b, escaped);
  }
  append_text(b, "\"");
}

static void append_member(struct buffer *b, const char *key, const char *value) {
  append_json_string(b, key);
  append_text(b, ":");
  append_json_string(b, value);
}

static const char *skip_space(const char *at) { return at + strspn(at, " \t\r\n"); }

// From a string's opening quote to behind its closing one; to the end of the text when it is not closed.
static const char *skip_string(const char *at) {
  for (at++; *at && *at != '"'; at++)
    if (*at == '\\' && at[1]) at++;
  return *at ? at + 1 : at;
}

// True when the text is one JSON object by its brackets. The agent parses it properly; this only keeps a broken configuration from
// changing the meaning of the request that it is put into.
static bool is_object(const char *text, size_t length) {
  const char *at = skip_space(text);
  char open[64];
  size_t depth = 0;
  if (*at != '{' || strlen(text) != length) return false;
  do {
    if (*at == '"') {
      at = skip_string(at);
      continue;
    }
    if ((*at == '{' || *at == '[') && depth == sizeof open) return false;
    if (*at == '{' || *at == '[') open[depth++] = *at;
    if ((*at == '}' || *at == ']') && open[--depth] != (*at == '}' ? '{' : '[')) return false;
    at++;
  } while (depth && *at);
  return depth == 0 && *skip_space(at) == 0;
}

// If a member named `key` starts at `at`, copies its value when that is a plain string that fits.
static bool copy_member(const char *at, const char *key, char *value, size_t room) {
  size_t length = strlen(key);
  if (strncmp(at + 1, key, length) != 0 || at[length + 1] != '"') return false;
  at = skip_space(at + length + 2);
  if (*at++ != ':') return false;
  at = skip_space(at);
  size_t found = *at == '"' ? strcspn(at + 1, "\"\\") : 0;
  if (!found || at[found + 1] != '"' || found >= room) return false;
  memcpy(value, at + 1, found);
  value[found] = 0;
  return true;
}

// Finds a string member of the outermost object.
static bool top_level_string(const char *text, const char *key, char *value, size_t room) {
  int depth = 0;
  for (const char *at = text; *at;) {
    if (*at == '"' && depth == 1 && copy_member(at, key, value, room)) return true;
    if (*at == '"') {
      at = skip_string(at);
      continue;
    }
    if (*at == '{' || *at == '[') depth++;
    if (*at == '}' || *at == ']') depth--;
    at++;
  }
  return false;
}
