package membership

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// gossipLog is where memberlist's log goes. memberlist writes its level and
// its name into the text, calls the failure of somebody else an error, and
// writes a line for every packet it cannot read: anybody who reaches the port
// could fill the disk. So levels are read from the text and lowered by one, and
// lines above [logBurst] a second are counted instead of written.
type gossipLog struct {
	to    slog.Handler
	muted *atomic.Bool // while closing: everything fails then

	mu      sync.Mutex
	second  time.Time // the one that lines are counted for
	lines   int
	skipped int
}

const (
	logBurst = 10      // lines a second
	logLine  = 4 << 10 // bytes of a line
)

// levels are memberlist's, as an operator of relays sees them.
var levels = map[string]slog.Level{
	"DEBUG": slog.LevelDebug,
	"INFO":  slog.LevelDebug,
	"WARN":  slog.LevelInfo,
	"ERR":   slog.LevelWarn,
	"ERROR": slog.LevelWarn,
}

// Enabled is part of [slog.Handler]: the level is not known before the text.
func (l *gossipLog) Enabled(context.Context, slog.Level) bool { return !l.muted.Load() }

// Handle is part of [slog.Handler].
func (l *gossipLog) Handle(ctx context.Context, r slog.Record) error {
	level, text := gossipLine(r.Message)
	if !l.to.Enabled(ctx, level) {
		return nil
	}
	skipped, ok := l.admit(r.Time)
	if !ok {
		return nil
	}
	out := slog.NewRecord(r.Time, level, "gossip: "+text, 0)
	if skipped > 0 {
		out.AddAttrs(slog.Int("lines_skipped", skipped))
	}
	return l.to.Handle(ctx, out)
}

// WithAttrs is part of [slog.Handler]; memberlist has no attributes.
func (l *gossipLog) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup is part of [slog.Handler]; memberlist has no groups.
func (l *gossipLog) WithGroup(string) slog.Handler { return l }

// admit says whether a line may be written now, and how many were not before.
func (l *gossipLog) admit(now time.Time) (skipped int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if since := now.Sub(l.second); since < 0 || since >= time.Second {
		l.second, l.lines = now, 0
	}
	if l.lines >= logBurst {
		l.skipped++
		return 0, false
	}
	l.lines++
	skipped, l.skipped = l.skipped, 0
	return skipped, true
}

// gossipLine takes a line of memberlist's apart: "[WARN] memberlist: text".
func gossipLine(s string) (slog.Level, string) {
	if len(s) > logLine {
		s = s[:logLine] + "…"
	}
	level := slog.LevelInfo
	if word, rest, ok := strings.Cut(strings.TrimPrefix(s, "["), "] "); ok && strings.HasPrefix(s, "[") {
		if l, known := levels[word]; known {
			level, s = l, rest
		}
	}
	return level, strings.TrimPrefix(s, "memberlist: ")
}
