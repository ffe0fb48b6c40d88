package uplink

import (
	"testing"
	"time"

	"github.com/stentor-audio/stentor/relay/plan"
)

func TestHowAWayDoes(t *testing.T) {
	const up, down = true, false
	type step struct {
		at   time.Duration
		up   bool
		live int // what it has
		most int // what another one has
		want plan.Health
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"never comes", []step{{0, down, 0, 0, plan.Trying}, {tryFor - 1, down, 0, 0, plan.Trying}, {tryFor, down, 0, 0, plan.Dead}}},
		{"comes late", []step{{tryFor, down, 0, 0, plan.Dead}, {2 * tryFor, up, 1, 1, plan.Working}}},
		{"a silent room", []step{{0, up, 0, 0, plan.Working}}},
		{"has it all", []step{{0, down, 0, 2, plan.Trying}, {1, up, 2, 2, plan.Working}}},
		{"has it bit by bit", []step{{0, up, 0, 2, plan.Trying}, {1, up, 1, 2, plan.Trying}, {2, up, 2, 2, plan.Working}}},
		{"has some, and in the end that is enough", []step{{0, up, 1, 2, plan.Trying}, {tryFor - 1, up, 1, 2, plan.Trying}, {tryFor, up, 1, 2, plan.Working}}},
		{"has nothing", []step{{0, up, 0, 1, plan.Trying}, {tryFor - 1, up, 0, 1, plan.Trying}, {tryFor, up, 0, 1, plan.Dead}, {tryFor + 1, up, 1, 1, plan.Working}}},
		{"lost it", []step{{0, up, 1, 1, plan.Working}, {1, up, 0, 1, plan.Working}, {lackFor, up, 0, 1, plan.Working}, {lackFor + 1, up, 0, 1, plan.Dead}}},
		{"lost some", []step{{0, up, 2, 2, plan.Working}, {1, up, 1, 2, plan.Working}, {time.Minute, up, 1, 2, plan.Working}}},
		{"is told of the end first", []step{{0, up, 1, 1, plan.Working}, {1, up, 0, 1, plan.Working}, {2, up, 0, 0, plan.Working}, {time.Minute, up, 0, 0, plan.Working}}},
		{"broke", []step{{0, up, 1, 1, plan.Working}, {1, down, 0, 1, plan.Working}, {brokenFor, down, 0, 1, plan.Working}, {brokenFor + 1, down, 0, 1, plan.Dead}}},
		{"changed its session", []step{{0, up, 1, 1, plan.Working}, {1, down, 0, 1, plan.Working}, {2, up, 0, 1, plan.Working}, {3, up, 1, 1, plan.Working}}},
		{"broke while it was tried", []step{{0, up, 0, 1, plan.Trying}, {1, down, 0, 1, plan.Dead}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &way{opened: epoch}
			for i, s := range tt.steps {
				now := epoch.Add(s.at)
				if w.up != s.up {
					w.since = now
				}
				w.up, w.ever, w.live = s.up, w.ever || s.up, s.live
				if w.assess(now, s.most); w.health != s.want {
					t.Errorf("step %d, after %v: %d, want %d", i, s.at, w.health, s.want)
				}
			}
		})
	}
}
