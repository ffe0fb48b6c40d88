package admission

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = time.Millisecond

func line(rate, refusals, validations float64) *Line[string, string] {
	return &Line[string, string]{
		Turns:       Bucket{Rate: rate, Burst: Turns(rate)},
		Refusals:    Bucket{Rate: refusals, Burst: refusals},
		Validations: Bucket{Rate: validations, Burst: validations},
	}
}

func TestLine(t *testing.T) {
	type step struct {
		at        time.Duration
		who       string
		validated bool
		want      Verdict
		let       []string // who begins right after that, a packet each
	}
	for _, tt := range []struct {
		name  string
		line  *Line[string, string]
		steps []step
	}{
		{"one begins at once", line(10, 0, 0), []step{
			{0, "a", false, Hold, []string{"a"}},
		}},
		{"the rest of a handshake passes", line(10, 0, 0), []step{
			{0, "a", false, Hold, []string{"a"}},
			{ms, "a", false, Pass, nil},
			{4 * time.Second, "a", true, Pass, nil},
		}},
		{"two begin one after the other", line(10, 0, 0), []step{
			{0, "a", true, Hold, []string{"a"}},
			{0, "b", true, Hold, nil},
			{101 * ms, "a", true, Pass, []string{"b"}},
		}},
		{"two packets stand for one, and a third is none", line(10, 0, 0), []step{
			{0, "a", true, Hold, []string{"a"}},
			{0, "b", true, Hold, nil},
			{ms, "b", true, Hold, nil},
			{ms, "b", true, Ignore, nil},
			{101 * ms, "a", true, Pass, []string{"b", "b"}},
		}},
		{"who would stand too long is refused, and told once", line(10, 1, 9), []step{
			{0, "a", true, Hold, []string{"a"}},
			{0, "b", true, Hold, nil},
			{0, "c", true, Hold, nil},
			{0, "d", true, Refuse, nil},
			{ms, "d", true, Ignore, nil},
		}},
		{"nobody is told more than there is time for", line(10, 1, 9), []step{
			{0, "a", true, Hold, []string{"a"}},
			{0, "b", true, Hold, nil},
			{0, "c", true, Hold, nil},
			{0, "d", true, Refuse, nil},
			{0, "e", true, Drop, nil},
			{150 * ms, "e", true, Hold, []string{"b"}},
			{999 * ms, "d", true, Hold, []string{"c"}},
		}},
		{"when somebody has to stand, addresses are validated", line(10, 0, 9), []step{
			{0, "a", false, Hold, []string{"a"}},
			{0, "b", false, Hold, nil}, // 100 ms
			{0, "c", false, Validate, nil},
			{0, "c", false, Ignore, nil}, // its second packet
			{ms, "c", true, Hold, nil},
			{ms, "d", true, Drop, nil}, // full, and no time to say so
		}},
		{"and asked again if the answer was lost", line(10, 0, 9), []step{
			{0, "a", false, Hold, []string{"a"}},
			{0, "b", true, Hold, nil},
			{0, "c", false, Validate, nil},
			{200 * ms, "c", false, Validate, []string{"b"}},
		}},
		{"nobody is asked more than there is time for", line(10, 0, 1), []step{
			{0, "a", true, Hold, []string{"a"}},
			{0, "b", true, Hold, nil},
			{0, "c", false, Validate, nil},
			{0, "d", false, Drop, nil},
		}},
		{"nobody stands where nobody gets on", line(0.001, 1, 9), []step{
			{0, "a", true, Hold, []string{"a"}},
			{0, "b", true, Refuse, nil},
			{0, "c", true, Drop, nil},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i, s := range tt.steps {
				if got := tt.line.Arrive(s.at, s.who, s.validated, func() string { return s.who }); got != s.want {
					t.Fatalf("step %d: %s at %v: %v, want %v", i, s.who, s.at, got, s.want)
				}
				if let, _ := tt.line.Next(s.at); !slices.Equal(let, s.let) {
					t.Fatalf("step %d: begins %v, want %v", i, let, s.let)
				}
			}
		})
	}
}

// Who has begun is remembered for as long as a handshake may take, and forgotten.
func TestLineForgets(t *testing.T) {
	l := line(10, 0, 0)
	arrive := func(at time.Duration) Verdict {
		return l.Arrive(at, "a", true, func() string { return "" })
	}
	arrive(0)
	l.Next(0)
	if got := arrive(remember); got != Pass {
		t.Errorf("while it lasts: %v", got)
	}
	l.Arrive(remember+2*ms, "b", true, func() string { return "" })
	if got := arrive(2*remember + 4*ms); got != Hold {
		t.Errorf("afterwards: %v", got)
	}
}

// Whatever comes when, those who begin do so at their rate and no later than they
// may stand, in the order in which they came; and nothing grows without bounds.
func TestLineHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(1, 500).Draw(t, "rate")
		l := &Line[int, time.Duration]{Turns: Bucket{Rate: rate, Burst: Turns(rate)}, Refusals: Bucket{Rate: 5, Burst: 2}, Validations: Bucket{Rate: 5, Burst: 2}}
		var now time.Duration
		begun, last := 0, time.Duration(0)
		next := func() {
			for {
				packets, ok := l.Next(now)
				if !ok {
					return
				}
				begun++
				if packets[0] < last {
					t.Fatalf("%v begins after %v", packets[0], last)
				}
				if last = packets[0]; now-last > holds+time.Millisecond {
					t.Fatalf("stood for %v", now-last)
				}
				if len(packets) > mostPackets {
					t.Fatalf("%d packets are kept", len(packets))
				}
			}
		}
		for range rapid.IntRange(1, 300).Draw(t, "packets") {
			until := now + time.Duration(rapid.Int64Range(0, int64(20*ms)).Draw(t, "pause"))
			for {
				in, ok := l.Due(now)
				if !ok || now+in > until {
					break
				}
				now += in
				next()
			}
			now = until
			next()
			l.Arrive(now, rapid.IntRange(0, 60).Draw(t, "who"), rapid.Bool().Draw(t, "validated"), func() time.Duration { return now })
		}
		if most := Turns(rate) + rate*now.Seconds() + 1e-6; float64(begun) > most {
			t.Fatalf("%d began in %v, at most %.2f", begun, now, most)
		}
		if n := len(l.standing); n > int(rate*holds.Seconds())+int(Turns(rate))+1 {
			t.Fatalf("%d stand at %.0f a second", n, rate)
		}
	})
}

func TestBucketDue(t *testing.T) {
	b := Bucket{Rate: 10, Burst: 2}
	for _, tt := range []struct {
		many int
		want time.Duration
	}{{1, 0}, {2, 0}, {3, 100 * ms}, {12, time.Second}} {
		if got := b.Due(0, tt.many); (got - tt.want).Abs() > 2*time.Microsecond {
			t.Errorf("%d: %v, want %v", tt.many, got, tt.want)
		}
	}
	if got := (&Bucket{}).Due(0, 1); got != time.Hour {
		t.Errorf("where nobody is let in: %v", got)
	}
}
