package stage

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// stageOf drives a choice with levels that last: each line is a time in ms, and who
// is how loud from then on.
func stageOf(t *testing.T, n int, script string, until int) (said []string) {
	t.Helper()
	l := &Loudest{N: n}
	levels := map[string]Level{}
	type change struct {
		at    int
		name  string
		level Level
	}
	var changes []change
	for line := range strings.Lines(script) {
		var c change
		if _, err := fmt.Sscan(line, &c.at, &c.name, &c.level); err == nil {
			changes = append(changes, c)
		}
	}
	for ms := 0; ms < until; ms += 20 {
		now := noon.Add(time.Duration(ms) * time.Millisecond)
		for _, c := range changes {
			if c.at == ms {
				levels[c.name] = c.level
			}
		}
		for name, level := range levels {
			l.Report(name, level, now)
		}
		if names, changed := l.Choose(now); changed {
			said = append(said, fmt.Sprintf("%d %s", ms, strings.Join(names, "+")))
		}
	}
	return said
}

func TestLoudest(t *testing.T) {
	tests := []struct {
		name   string
		n      int
		script string
		until  int
		want   string
	}{
		{"one speaks", 2, "0 ada 20", 1000, "0 ada"},
		{"silence chooses nobody", 2, "0 ada 90\n0 bob 127", 1000, ""},
		{"a pause between sentences", 1, "0 ada 20\n1000 ada 127\n2000 ada 20", 3000, "0 ada"},
		{"who stops loses the place", 1, "0 ada 20\n1000 ada 127", 4000, "0 ada|2480 "},
		{"who is a little louder has to wait", 1, "0 ada 30\n500 bob 27", 3000, "0 ada"},
		{"who is much louder does not", 1, "0 ada 45\n1000 bob 15", 2000, "0 ada|1100 bob"},
		{"a cough", 1, "0 ada 20\n1000 bob 25\n1040 bob 127", 3000, "0 ada"},
		{"three of five", 3, "0 ada 20\n0 bob 22\n0 cyd 24\n0 dan 26\n0 eve 28", 2000, "0 ada+bob+cyd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(stageOf(t, tt.n, tt.script, tt.until), "|"); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestWhoIsNotHeardOfIsSilent(t *testing.T) {
	l := &Loudest{N: 1}
	for ms := range 50 {
		l.Report("ada", 10, noon.Add(time.Duration(ms)*packet))
		l.Choose(noon.Add(time.Duration(ms) * packet))
	}
	gone := false
	for ms := 50; ms < 300; ms++ {
		if names, changed := l.Choose(noon.Add(time.Duration(ms) * packet)); changed {
			gone = len(names) == 0
		}
	}
	if !gone {
		t.Error("who left without a word keeps the place")
	}
	l.Report("bob", 0, noon.Add(time.Minute))
	l.Forget("bob")
	if names, _ := l.Choose(noon.Add(time.Minute)); len(names) != 0 {
		t.Errorf("%v", names)
	}
}

// Two that are equally loud do not take turns by the order of a map.
func TestEquallyLoudStayAsTheyAre(t *testing.T) {
	said := stageOf(t, 1, "0 ada 20\n0 bob 20\n0 cyd 20", 5000)
	if len(said) != 1 || said[0] != "0 ada" {
		t.Errorf("%v", said)
	}
}
