package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// warnings collects what Cilium's code warns of: it drops what it cannot read, and says so in its log only.
type warnings struct {
	mutex sync.Mutex
	said  []string
}

func newWarnings() *warnings { return &warnings{said: []string{}} }

func (w *warnings) logger() *slog.Logger { return slog.New(&handler{to: w}) }

func (w *warnings) lines() []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return append([]string{}, w.said...)
}

type handler struct {
	to    *warnings
	attrs []slog.Attr
}

func (h *handler) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (h *handler) Handle(_ context.Context, record slog.Record) error {
	line := record.Level.String() + " " + record.Message
	add := func(attr slog.Attr) bool { line += fmt.Sprintf(" %s=%v", attr.Key, attr.Value); return true }
	for _, attr := range h.attrs {
		add(attr)
	}
	record.Attrs(add)
	h.to.mutex.Lock()
	defer h.to.mutex.Unlock()
	h.to.said = append(h.to.said, line)
	return nil
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{to: h.to, attrs: append(append([]slog.Attr{}, h.attrs...), attrs...)}
}

func (h *handler) WithGroup(string) slog.Handler { return h }
