package membership

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestGossipLine(t *testing.T) {
	tests := []struct {
		line  string
		level slog.Level
		text  string
	}{
		{"[DEBUG] memberlist: Stream connection from=10.0.0.1", slog.LevelDebug, "Stream connection from=10.0.0.1"},
		{"[WARN] memberlist: Refuting", slog.LevelInfo, "Refuting"},
		{"[ERR] memberlist: [x] failed", slog.LevelWarn, "[x] failed"},
		{"[NEWS] memberlist: what is that", slog.LevelInfo, "[NEWS] memberlist: what is that"},
		{"no level", slog.LevelInfo, "no level"},
		{"", slog.LevelInfo, ""},
		{"[WARN]", slog.LevelInfo, "[WARN]"},
	}
	for _, tt := range tests {
		if level, text := gossipLine(tt.line); level != tt.level || text != tt.text {
			t.Errorf("%q: %v %q, want %v %q", tt.line, level, text, tt.level, tt.text)
		}
	}
	if _, text := gossipLine(strings.Repeat("x", 1<<20)); len(text) > 2*logLine {
		t.Errorf("%d bytes of a long line", len(text))
	}
}

// TestTheLogIsBounded: ten lines a second, and how many there were not.
func TestTheLogIsBounded(t *testing.T) {
	var out bytes.Buffer
	var muted atomic.Bool
	l := &gossipLog{to: slog.NewTextHandler(&out, nil), muted: &muted}
	now := time.Unix(1_700_000_000, 0)
	write := func(n int, text string) int {
		out.Reset()
		for range n {
			if l.Enabled(context.Background(), slog.LevelDebug) {
				_ = l.Handle(context.Background(), slog.NewRecord(now, slog.LevelDebug, text, 0))
			}
		}
		return strings.Count(out.String(), "\n")
	}
	if n := write(1000, "[ERR] memberlist: noise"); n != logBurst {
		t.Errorf("%d lines at once, want %d", n, logBurst)
	}
	now = now.Add(time.Second)
	if n := write(1, "[ERR] memberlist: noise"); n != 1 || !strings.Contains(out.String(), "lines_skipped=990") {
		t.Errorf("a second later: %s", out.String())
	}
	if n := write(1, "[DEBUG] memberlist: noise"); n != 0 {
		t.Error("wrote what the operator does not want to see")
	}
	now = now.Add(-time.Hour) // a clock that was set back
	if n := write(1, "[ERR] memberlist: noise"); n != 1 {
		t.Error("silent after the clock was set back")
	}
	muted.Store(true)
	if n := write(1, "[ERR] memberlist: noise"); n != 0 {
		t.Error("wrote while closing")
	}
}
