package main

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/term"
)

// A progress is what a verb tells its user on stderr: lines that stay, and, on a
// terminal only, one last line that changes.
type progress struct {
	out      io.Writer
	terminal bool
	width    func() int

	mu   sync.Mutex
	line string // shown below everything that was said
}

// newProgress tells on f, in the way that suits it.
func newProgress(f *os.File) *progress {
	fd := int(f.Fd())
	return &progress{
		out:      f,
		terminal: term.IsTerminal(fd) && os.Getenv("TERM") != "dumb",
		width: func() int {
			width, _, err := term.GetSize(fd)
			if err != nil || width <= 0 {
				return 80
			}
			return width
		},
	}
}

const (
	eraseLine = "\r\x1b[K"
	// progressEvery is how often a line that changes is drawn: often enough that
	// a level meter moves, seldom enough that it can be read.
	progressEvery = 100 * time.Millisecond
)

// show replaces the changing line. It does nothing where that cannot be seen.
func (p *progress) show(line string) {
	if !p.terminal {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line = cut(line, p.width()-1)
	fmt.Fprint(p.out, eraseLine, p.line)
}

// say writes a line that stays.
func (p *progress) say(format string, args ...any) {
	fmt.Fprintf(p, format+"\n", args...)
}

// Write implements [io.Writer] for loggers: whole lines that stay.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line != "" {
		fmt.Fprint(p.out, eraseLine)
	}
	n, err := p.out.Write(b)
	if p.line != "" {
		fmt.Fprint(p.out, p.line)
	}
	return n, err
}

// clear takes the changing line away.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line != "" {
		fmt.Fprint(p.out, eraseLine)
		p.line = ""
	}
}

// logger writes what goes on inside, from level on.
func (p *progress) logger(level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, usagef("--log-level %q: want debug, info, warn or error", level)
	}
	return slog.New(slog.NewTextHandler(p, &slog.HandlerOptions{Level: l})), nil
}

// clock writes a duration as on a player: 1:02, or 1:02:03 from an hour on.
func clock(d time.Duration) string {
	s := int(d.Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// meterFloor is the level, in dBFS, below which a meter shows nothing: a quiet
// room is there.
const meterFloor = -50

// meter draws a level in dBFS, 0 at the right end.
func meter(level float64, width int) string {
	const eighths = " ▏▎▍▌▋▊▉"
	full := 8 * float64(width) * (level - meterFloor) / -meterFloor
	n := int(min(max(full, 0), float64(8*width)))
	bar := strings.Repeat("█", n/8)
	if n%8 > 0 {
		bar += string([]rune(eighths)[n%8])
	}
	return "▕" + bar + strings.Repeat(" ", width-len([]rune(bar))) + "▏"
}

// decibels converts an amplitude, 0 to 1, into dBFS.
func decibels(amplitude float32) float64 {
	return 20 * math.Log10(max(float64(amplitude), 1e-6))
}

// cut shortens a line to width characters.
func cut(line string, width int) string {
	runes := []rune(line)
	if len(runes) <= width {
		return line
	}
	return string(runes[:max(width-1, 0)]) + "…"
}

// printable is a name as it may be written to a terminal: what a stranger sends
// must not move its cursor.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, name)
}

// count writes a number with its noun, in the plural where it must be.
func count(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
