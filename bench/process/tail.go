package process

import (
	"bytes"
	"strings"
	"sync"
)

// tailSize is how much of a process's stderr is kept: the last few lines, which
// say why it ended.
const tailSize = 2 << 10

// A tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	held []byte
	cut  bool // something was written before what is held
}

// Write implements [io.Writer]. It never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held = append(t.held, p...)
	if over := len(t.held) - tailSize; over > 0 {
		t.held = append(t.held[:0], t.held[over:]...)
		t.cut = true
	}
	return len(p), nil
}

// quote is what is held as the end of an error message: nothing, or the whole
// lines on lines of their own.
func (t *tail) quote() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	held := t.held
	if t.cut {
		if _, rest, ok := bytes.Cut(held, []byte("\n")); ok {
			held = rest
		}
	}
	text := strings.TrimSpace(string(held))
	if text == "" {
		return ""
	}
	return "; it said:\n  " + strings.ReplaceAll(text, "\n", "\n  ")
}
