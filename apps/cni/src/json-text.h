// SPDX-License-Identifier: Apache-2.0
//
// Text that grows, and strings written as JSON.

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
