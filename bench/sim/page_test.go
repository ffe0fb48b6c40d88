package sim

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stentor-audio/stentor/bench/report"
)

// pageResult is a result with something of everything.
func pageResult() *Result {
	return &Result{
		Scenario: "test", About: "a <test>", Seed: 7, Relays: 3, Listeners: 1000, Rooms: 1, EndMS: 4000,
		Expected: 200000, Lost: 12, Unserved: 3,
		Load:     Spread{P50: 40, P99: 90, Max: 91.23, Mean: 45},
		Spreads:  []ZoneSpread{{Zone: "par", Relays: 2, Spread: Spread{Mean: 40, Max: 50, P99: 50}}, {Zone: "ams", Relays: 0}},
		Promises: []Promise{{Name: "lost", Text: "frames lost", Want: "at most 0", Got: "12"}, {Name: "failed", Text: "errors & such", Want: "at most 0", Got: "0", Kept: true}},
		Joins:    Joins{Arrived: 1000, Admitted: 997, AllInMS: -1, FirstAudio: Times{P99: 270}},
		Hops: []Hops{
			{Cause: "silence", Count: 4, Bins: []Bin{{UpTo: 50, Count: 1}, {UpTo: 60, Count: 3}}},
			{Cause: "drain"},
		},
		Gaps:     []Gaps{{Who: "struck", Listeners: 10, Hurt: 2, Gap: Times{P99: 40, Max: 60}, Bins: []Bin{{UpTo: 40, Count: 2}}}, {Who: "others", Listeners: 990}},
		Happened: []Happening{{AtMS: 2000, What: "kill", Relays: 1, Listeners: 10, ConvergeMS: -1}},
		Series: Series{
			EveryMS: 1000, T: []int64{0, 1000, 2000, 3000},
			Arrived: []int64{0, 500, 1000, 1000}, Listening: []int64{0, 400, 990, 997}, Waiting: []int64{0, 100, 10, 3},
			Told: []int64{0, 5, 5, 5}, Refused: []int64{0, 0, 7, 7}, Lost: []int64{0, 0, 0, 12}, Hops: []int64{0, 0, 0, 4}, Relays: []int64{3, 3, 3, 2},
			Zones: []ZoneLoads{{Zone: "par", Relays: []string{"a", "b"}, Load: [][]int16{{0, 20, 40, -1}, {0, 30, 60, 150}}}, {Zone: "ams", Relays: []string{"c"}, Load: [][]int16{{0, 85}}}},
		},
		Depths: []int{0, 3}, Degrees: []int{1, 2},
		Before: Tree{AtMS: 2000, Room: "r<1>", Nodes: []TreeNode{
			{Relay: "a", Zone: "par", Blue: "c", Load: 40}, {Relay: "b", Zone: "par", Red: "a", Blue: "c", Depth: 1, Load: 60}, {Relay: "c", Zone: "ams", Red: "a", Load: 85},
		}},
		Constants: []Constant{{Name: "rtt", Value: 65e6, Unit: "ms", Source: "assumed"}},
	}
}

func html(t *testing.T, r *Result) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPage(t *testing.T) {
	page := html(t, pageResult())
	for _, want := range []string{
		"stentor bench: sim, test", "a &lt;test&gt;: 1,000 listeners, 3 relays", "errors &amp; such",
		`<span class="broken">broken</span>`, `<span class="kept">kept</span>`, ">never<", "91.2", "silence (4)", "struck (2 of 10)",
		"kill: 1 relay, 10 listeners; the trees were not whole again", "r&lt;1&gt;, before", "65000000 ms (assumed)", `class="moment"`,
		"load in par at the end", `<path class="h8"`, `<path class="h9"`, "b in par, 60 %, 1 hop deep",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"load in ams", "drain (0)", "others (0", "NaN", "Inf", `role="note"`, "%!"} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %q", never)
		}
	}
	if n := strings.Count(page, `class="moment"`); n != 6 {
		t.Errorf("what happened is on %d charts, want the 6 over time", n)
	}
	if found := regexp.MustCompile(`(?i)<script|\bsrc=|\bhref=|url\(|@import|https?://`).FindString(page); found != "" {
		t.Errorf("the page has %q", found)
	}
	if again := html(t, pageResult()); again != page {
		t.Error("the same result makes two pages")
	}
}

func TestPageOfNothing(t *testing.T) {
	if page := html(t, &Result{Scenario: "empty"}); !strings.Contains(page, "nothing was measured") || strings.Contains(page, "NaN") {
		t.Error("an empty result has no page")
	}
}

func TestPageWarns(t *testing.T) {
	r := pageResult()
	r.Partial, r.Shortfall = true, &Shortfall{Text: "400 listeners too many"}
	page := html(t, r)
	for _, want := range []string{"ended before its time", "cannot be served: 400 listeners too many", `role="note"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// A run that was ended in the middle of a sample has columns of different lengths.
func TestPageOfUnevenSeries(t *testing.T) {
	r := pageResult()
	r.Series.T = r.Series.T[:2]
	r.Series.Listening = r.Series.Listening[:1]
	r.Series.Hops = nil
	html(t, r)
}

func TestCrowds(t *testing.T) {
	r := pageResult()
	charts := r.crowds(r.clock())
	points := func(chart, series int) []report.Point { return charts[chart].Series[series].Points }
	if got := points(0, 1); len(got) != 4 || got[3] != (report.Point{X: 3, Y: 997}) {
		t.Errorf("listening %v", got)
	}
	if got := points(1, 1); len(got) != 3 || got[1] != (report.Point{X: 2, Y: 7}) {
		t.Errorf("refused a second %v", got)
	}
	// Of 20, 30 and 85 the mean is 45; at the end only one is there.
	mean, most := points(5, 0), points(5, 1)
	if mean[1] != (report.Point{X: 1, Y: 45}) || most[1].Y != 85 || mean[3].Y != 150 {
		t.Errorf("load: mean %v, highest %v", mean, most)
	}
	r.EndMS = 700_000
	if charts := r.crowds(r.clock()); charts[0].X != "minutes" || charts[0].Series[0].Points[3].X != 0.05 {
		t.Errorf("%+v", charts[0])
	}
}

func TestCumulative(t *testing.T) {
	got := cumulative([]Bin{{UpTo: 10, Count: 1}, {UpTo: 20, Count: 0}, {UpTo: 40, Count: 3}})
	want := []report.Point{{X: 10, Y: 25}, {X: 20, Y: 25}, {X: 40, Y: 100}}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if got := cumulative([]Bin{{UpTo: 10}}); got[0].Y != 0 {
		t.Errorf("of none: %v", got)
	}
}

func TestBrief(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.02: "0", 0.25: "0.2", 7: "7", 91.23: "91.2", 99.96: "100", 123.4: "123", 1234: "1,234", 2227204: "2,227,204", -1234: "-1,234"} {
		if got := brief(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}
