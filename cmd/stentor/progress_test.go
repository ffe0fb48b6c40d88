package main

import (
	"bytes"
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0:00", 59900 * time.Millisecond: "0:59", 61 * time.Second: "1:01", time.Hour + 2*time.Minute + 3*time.Second: "1:02:03",
	} {
		if got := clock(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}

func TestMeter(t *testing.T) {
	for level, want := range map[float64]string{
		0: "▕██████████▏", 6: "▕██████████▏", -25: "▕█████     ▏", -27: "▕████▌     ▏", -50: "▕          ▏", -120: "▕          ▏",
	} {
		if got := meter(level, 10); got != want {
			t.Errorf("%v dB is %s, want %s", level, got, want)
		}
	}
	if got := decibels(1); got != 0 {
		t.Errorf("full scale is %v dB", got)
	}
}

// TestNamesDoNotMoveTheCursor: a stranger's name is shown, not obeyed.
func TestNamesDoNotMoveTheCursor(t *testing.T) {
	for name, want := range map[string]string{
		"Ада Лавлейс": "Ада Лавлейс", "a\x1b[2Jb": "a�[2Jb", "a\nb\tc": "a�b�c", "a\u202eb": "a�b",
	} {
		if got := printable(name); got != want {
			t.Errorf("%q is shown as %q, want %q", name, got, want)
		}
	}
}

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	p := &progress{out: &out, terminal: true, width: func() int { return 20 }}
	p.show("a line that is far too long for it")
	p.say("said %d", 1)
	p.show("short")
	p.clear()
	p.clear()
	const want = eraseLine + "a line that is far…" + eraseLine + "said 1\n" + "a line that is far…" + eraseLine + "short" + eraseLine
	if out.String() != want {
		t.Errorf("wrote %q\nwant  %q", out.String(), want)
	}

	out.Reset()
	p = &progress{out: &out}
	p.show("nobody sees this")
	p.say("but this")
	p.clear()
	if out.String() != "but this\n" {
		t.Errorf("without a terminal it wrote %q", out.String())
	}
	if _, err := p.logger("loud"); err == nil {
		t.Error("a log level that does not exist")
	}
}
