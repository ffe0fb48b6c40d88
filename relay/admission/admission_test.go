package admission

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMeasure(t *testing.T) {
	limit := Limit{Sessions: 1000, Packets: 50_000}
	for _, tt := range []struct {
		name  string
		use   Use
		limit Limit
		total float64
		part  Part
		work  float64
	}{
		{"nothing to do", Use{}, limit, 0, Sessions, 0},
		{"half of the sessions", Use{Sessions: 500, CPU: 0.17}, limit, 50, Sessions, 20},
		{"full of sessions, and idle", Use{Sessions: 1000}, limit, 100, Sessions, 0},
		{"more sessions than it is meant for", Use{Sessions: 1900}, limit, Most, Sessions, 0},
		{"processors", Use{Sessions: 10, CPU: 0.85}, limit, 100, CPU, 100},
		{"timers a little late", Use{Late: 10 * time.Millisecond}, limit, 0, Sessions, 0},
		{"timers late", Use{Late: 60 * time.Millisecond}, limit, 100, Late, 100},
		{"timers very late", Use{Late: time.Minute}, limit, Most, Late, Most},
		{"packets", Use{Packets: 40_000}, limit, 80, Packets, 80},
		{"no limit", Use{Sessions: 1e6, Packets: 1e9}, Limit{}, 0, Sessions, 0},
		{"one in a hundred refused", Use{Refused: 0.01}, limit, 80.15, Doors, 0},
		{"nearly all refused", Use{Refused: 0.99}, limit, 94.85, Doors, 0},
		{"no number", Use{CPU: math.NaN()}, limit, Most, CPU, Most},
		{"less than nothing", Use{Sessions: -4, CPU: -1, Late: -time.Hour, Packets: -1, Refused: -1}, limit, 0, Sessions, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := Measure(tt.use, tt.limit)
			total, part := l.Total()
			if math.Abs(total-tt.total) > 0.001 || part != tt.part || math.Abs(l.Work()-tt.work) > 0.001 {
				t.Errorf("%.2f of %v, work %.2f; want %.2f of %v, work %.2f", total, part, l.Work(), tt.total, tt.part, tt.work)
			}
		})
	}
}

// Loads rise within a second or so and fall slowly, and never past what is measured.
func TestFollow(t *testing.T) {
	busy := Loads{Sessions: 10, CPU: 100}
	up := Loads{}.Follow(busy, time.Second)
	if up[Sessions] != 10 || math.Abs(up[CPU]-63.2) > 0.1 {
		t.Errorf("after a second of work: %v", up)
	}
	down := up.Follow(Loads{}, time.Second)
	if down[Sessions] != 0 || down[CPU] < 50 || down[CPU] >= up[CPU] {
		t.Errorf("after a second of rest: %v", down)
	}
	if same := up.Follow(busy, -time.Second); same[CPU] != up[CPU] {
		t.Errorf("time went backwards: %v", same)
	}
	rapid.Check(t, func(t *rapid.T) {
		before, now := drawLoads(t, "before"), drawLoads(t, "now")
		after := time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "after"))
		for p, v := range before.Follow(now, after) {
			if v < min(before[p], now[p])-1e-9 || v > max(before[p], now[p])+1e-9 {
				t.Fatalf("%v from %v to %v: %v", Part(p), before[p], now[p], v)
			}
		}
	})
}

func drawLoads(t *rapid.T, label string) (l Loads) {
	for p := range l {
		l[p] = rapid.Float64Range(0, Most).Draw(t, label)
	}
	return l
}

func TestLadder(t *testing.T) {
	const short, long = 60 * time.Millisecond, 120 * time.Millisecond
	for _, tt := range []struct {
		load, work float64
		want       Ladder
	}{
		{0, 0, Ladder{Packet: short}},
		{59, 59, Ladder{Packet: short}},
		{60, 0, Ladder{Packet: long}},
		{70, 70, Ladder{Packet: long, Cold: true}},
		{95, 20, Ladder{Packet: long, Cold: true}}, // sessions: nobody need leave
		{95, 95, Ladder{Packet: long, Cold: true, Shed: true}},
		{100, 0, Ladder{Packet: long, Cold: true, Full: true}},
		{Most, Most, Ladder{Packet: long, Cold: true, Shed: true, Full: true}},
	} {
		if got := At(tt.load, tt.work); got != tt.want {
			t.Errorf("at %v, work %v: %+v, want %+v", tt.load, tt.work, got, tt.want)
		}
	}
}

func TestToShed(t *testing.T) {
	shed := Ladder{Shed: true}
	for _, tt := range []struct {
		name      string
		ladder    Ladder
		listeners int
		others    []float64
		want      int
	}{
		{"not so busy", Ladder{Full: true}, 1000, []float64{0}, 0},
		{"alone", shed, 1000, nil, 0},
		{"all as busy", shed, 1000, []float64{70, 100}, 0},
		{"one in fifty", shed, 1000, []float64{90, 40}, 20},
		{"few", shed, 3, []float64{0}, 1},
		{"nobody here", shed, 0, []float64{0}, 0},
		{"very many", shed, 100_000, []float64{0}, shedMost},
	} {
		if got := ToShed(tt.ladder, tt.listeners, tt.others); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestWait(t *testing.T) {
	for _, tt := range []struct {
		name                  string
		refused, rate, chance float64
		want                  time.Duration
	}{
		{"a few too many", 10, 100, 0.5, 2 * time.Second},
		{"soonest", 10, 100, 0, time.Second},
		{"four times as many", 400, 100, 0.5, 4 * time.Second},
		{"many more", 1e9, 1, 1, 10 * time.Second},
		{"nobody is let in", 10, 0, 1, 10 * time.Second},
		{"no numbers", math.NaN(), math.NaN(), math.NaN(), mostWait / 3},
	} {
		if got := Wait(tt.refused, tt.rate, tt.chance); (got - tt.want).Abs() > time.Millisecond {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		got := Wait(rapid.Float64().Draw(t, "refused"), rapid.Float64().Draw(t, "rate"), rapid.Float64().Draw(t, "chance"))
		if got < time.Second || got > mostWait+time.Millisecond {
			t.Fatal(got)
		}
	})
}

func TestBucket(t *testing.T) {
	b := Bucket{Rate: 10, Burst: 3}
	take := func(at time.Duration) (n int) {
		for n < 100 && b.Take(at) {
			n++
		}
		return n
	}
	for _, step := range []struct {
		at   time.Duration
		want int
	}{{time.Hour, 3}, {time.Hour, 0}, {time.Hour + 99*time.Millisecond, 0}, {time.Hour + 100*time.Millisecond, 1},
		{time.Hour + 300*time.Millisecond, 2}, {time.Hour + time.Minute, 3}, {time.Hour, 0}} {
		if got := take(step.at); got != step.want {
			t.Errorf("at %v: %d, want %d", step.at, got, step.want)
		}
	}
	if (&Bucket{}).Take(time.Hour) {
		t.Error("the zero bucket lets somebody in")
	}
}

// Whatever is asked when, no more get through than the rate and the burst allow.
func TestBucketHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Bucket{Rate: rapid.Float64Range(0, 1000).Draw(t, "rate"), Burst: rapid.Float64Range(0, 100).Draw(t, "burst")}
		var now time.Duration
		taken := 0
		for range rapid.IntRange(1, 300).Draw(t, "asks") {
			now += time.Duration(rapid.Int64Range(0, int64(50*time.Millisecond)).Draw(t, "pause"))
			if b.Take(now) {
				taken++
			}
		}
		if most := b.Burst + b.Rate*now.Seconds() + 1e-6; float64(taken) > most {
			t.Fatalf("%d in %v, at most %.2f", taken, now, most)
		}
	})
}

func TestPace(t *testing.T) {
	for _, tt := range []struct {
		name string
		pace Pace
		use  Use
		want float64
	}{
		{"begins", Pace{Processors: 4}, Use{}, 400},
		{"nobody wants more", Pace{Rate: 100}, Use{CPU: 0.1}, 100},
		{"more are wanted", Pace{Rate: 100}, Use{CPU: 0.1, Refused: 0.5}, 110},
		{"near what was too much", Pace{Rate: 100, tooMuch: 120}, Use{CPU: 0.1, Refused: 0.5}, 103},
		{"handshakes of before are still made", Pace{Rate: 100, settle: 2}, Use{CPU: 1, Refused: 0.5}, 100},
		{"far from what was too much", Pace{Rate: 100, tooMuch: 140}, Use{CPU: 0.1, Refused: 0.5}, 110},
		{"somebody stands", Pace{Rate: 100}, Use{CPU: 0.1, Stood: 0.2}, 110},
		{"hardly anybody stands", Pace{Rate: 100}, Use{CPU: 0.1, Stood: 0.05}, 100},
		{"a little late", Pace{Rate: 100}, Use{Late: 5 * time.Millisecond, Refused: 0.5}, 103},
		{"not wanted for a while", Pace{Rate: 300}, Use{Begun: 149}, 291},
		{"not wanted for long", Pace{Rate: 101}, Use{}, 100},
		{"less is wanted than in the beginning", Pace{Rate: 50}, Use{}, 50},
		{"half of it is wanted", Pace{Rate: 300}, Use{Begun: 150}, 300},
		{"as late as when nobody comes", Pace{Rate: 100, quiet: 0.010}, Use{Late: 19 * time.Millisecond, Refused: 0.5}, 103},
		{"later than when nobody comes", Pace{Rate: 100, quiet: 0.010, late: true}, Use{Late: 21 * time.Millisecond, Refused: 0.5}, 70},
		{"processors are busy", Pace{Rate: 100}, Use{CPU: 0.71, Refused: 0.5}, 70},
		{"timers are late once", Pace{Rate: 100}, Use{Late: 11 * time.Millisecond, Refused: 0.5}, 100},
		{"timers are late again", Pace{Rate: 100, late: true}, Use{Late: 11 * time.Millisecond, Refused: 0.5}, 70},
		{"timers are very late", Pace{Rate: 100}, Use{Late: 41 * time.Millisecond, Refused: 0.5}, 70},
		{"timers were late", Pace{Rate: 100, late: true}, Use{Refused: 0.5}, 110},
		{"never none", Pace{Rate: 21}, Use{CPU: 1}, leastRate},
		{"never without bounds", Pace{Rate: 4999}, Use{Refused: 1}, mostRate},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.pace.Step(tt.use); math.Abs(got-tt.want) > 0.001 {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// A model of a relay whose handshakes cost it: the pace finds what it can spare
// and stays about there, whatever they cost and whatever else it does.
func TestPaceSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cost := rapid.Float64Range(0.0005, 0.01).Draw(t, "cost") // CPU seconds of one processor
		others := rapid.Float64Range(0, 0.6).Draw(t, "others")
		p := Pace{Processors: 1, Rate: rapid.Float64Range(1, 5000).Draw(t, "begin")}
		var least, most float64
		for i := range 200 {
			cpu := min(others+p.Rate*cost, 1)
			rate := p.Step(Use{CPU: cpu, Refused: 0.5})
			if i == 100 {
				least, most = rate, rate
			}
			least, most = min(least, rate), max(most, rate)
		}
		spare := min(max((spareCPU-others)/cost, leastRate), mostRate)
		if least < 0.6*spare-leastRate || most > 1.2*spare+leastRate {
			t.Fatalf("%.0f to %.0f a second where %.0f can be had", least, most, spare)
		}
	})
}

func TestRoom(t *testing.T) {
	for _, tt := range []struct {
		capacity, sessions        int
		public, unknown, reserved bool
	}{
		{1000, 0, true, true, true},
		{1000, 1999, true, true, true},
		{1000, 2000, false, true, true},
		{1000, 2049, false, true, true},
		{1000, 2050, false, false, false},
		{1, 2, false, true, true},
		{1, 18, false, false, false},
	} {
		for lane, want := range map[Lane]bool{Public: tt.public, Unknown: tt.unknown, Reserved: tt.reserved} {
			if got := Room(lane, tt.capacity, tt.sessions); got != want {
				t.Errorf("lane %d, %d of %d: %v, want %v", lane, tt.sessions, tt.capacity, got, want)
			}
		}
	}
}

func TestPartNames(t *testing.T) {
	for p := range Parts {
		if p.String() == "" {
			t.Errorf("part %d has no name", uint8(p))
		}
	}
	if Parts.String() != "Part(5)" {
		t.Error(Parts.String())
	}
}
