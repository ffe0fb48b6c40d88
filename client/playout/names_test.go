package playout

import (
	"fmt"
	"testing"
)

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		value fmt.Stringer
		want  string
	}{
		{Play, "play"}, {Lost, "lost"}, {Starved, "starved"}, {Silence, "silence"}, {Ended, "ended"},
		{Accepted, "accepted"}, {Duplicate, "duplicate"}, {Late, "late"}, {Refused, "refused"},
	} {
		if got := tt.value.String(); got != tt.want {
			t.Errorf("%d is called %q, want %q", tt.value, got, tt.want)
		}
	}
}
