package hop

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/bench/wire"
)

func testResult() *Result {
	r := &Result{Relays: 5, Listeners: 20, DelayMS: 200, Network: hosts, RTT: 40, Jitter: 10, Loss: 0.01}
	r.Quiet = Outcome{}.outcome(Report{Expected: 1000})
	r.add(Outcome{Role: Edge, Cause: Kill, Victim: "relay-1", Listen: 4},
		Report{Expected: 500, Lost: 7, LongestMS: 60, Hurt: 2, TookMS: []int64{80, 70, 75}, Causes: map[string]int{"silence": 3}})
	r.Kills = append(r.Kills, Outcome{Role: Interior, Cause: Kill, Skipped: "no such relay"})
	r.add(Outcome{Role: Ingest, Cause: Drain, Victim: "relay-2", Late: "it knows 4 relays of 5"},
		Report{Expected: 500, Lost: 1, LongestMS: 20, Hurt: 1, Strange: 3, Ended: 1})
	return r
}

func TestResult(t *testing.T) {
	r := testResult()
	if r.Expected != 1000 || r.Lost != 8 || r.Longest != 60 || r.Hops != 3 || r.Ended != 1 || r.Strange != 3 {
		t.Errorf("%+v", r)
	}
	if want := (Quantiles{75, 80, 80}); r.Took != want {
		t.Errorf("took %v, want %v", r.Took, want)
	}
	if first := r.Kills[0]; first.Hops != 3 || first.Took.Max != 80 || first.Hurt != 2 {
		t.Errorf("%+v", first)
	}
}

func TestResultJSON(t *testing.T) {
	b, err := json.Marshal(testResult())
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(b, &object); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"relays", "listeners", "kills", "expected", "lost", "longest_gap_ms", "hops", "took_ms"} {
		if _, ok := object[key]; !ok {
			t.Errorf("the JSON lacks %q: %s", key, b)
		}
	}
	kill := object["kills"].([]any)[0].(map[string]any)
	if kill["victim"] != "relay-1" || kill["role"] != "edge" || kill["cause"] != "kill" {
		t.Errorf("%v", kill)
	}
}

func TestResultText(t *testing.T) {
	r := testResult()
	r.Partial, r.Note = true, "a note"
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"20 listeners at 5 relays", "40 ms of round trip, 10 ms of jitter, 1 % loss", "PARTIAL", "note: a note", "75/80 ms",
		"skipped: no such relay", "it is not back: it knows 4", "8 lost of 1000 frames", "1 listeners gave up", "3 frames have a time",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, &b)
		}
	}
	// The rows of the table are as wide as its head.
	lines := strings.Split(b.String(), "\n")
	for _, i := range []int{3, 4} {
		if len(lines[i]) != len(lines[2]) {
			t.Errorf("%q is %d wide, %q %d", lines[i], len(lines[i]), lines[2], len(lines[2]))
		}
	}
}

func TestResultPage(t *testing.T) {
	for name, r := range map[string]*Result{"full": testResult(), "empty": {Network: loopback}} {
		var b strings.Builder
		if err := r.WriteHTML(&b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if strings.Count(b.String(), "<svg") != 2 || strings.Contains(b.String(), "NaN") {
			t.Errorf("%s: %s", name, &b)
		}
	}
}

func TestOptionsRefused(t *testing.T) {
	tests := map[string]Options{
		"one relay":              {Relays: 1},
		"too many relays":        {Relays: 61},
		"a negative capacity":    {Capacity: -1},
		"negative packets":       {Egress: -1},
		"joins in no time":       {Over: -time.Second},
		"an age to join":         {Over: 2 * time.Hour},
		"fewer than no listener": {Listeners: -1},
		"too many listeners":     {Listeners: 5001},
		"no delay":               {Delay: time.Millisecond},
		"a long delay":           {Delay: time.Minute},
		"packets there are not":  {Packet: 40 * time.Millisecond},
		"negative repetitions":   {Repeat: -1},
		"no outage":              {Outage: time.Millisecond},
		"no rest":                {Rest: time.Millisecond},
		"a role there is not":    {Roles: []Role{"king"}},
		"a cause there is not":   {Causes: []Cause{"ennui"}},
		"cut off the loopback":   {Loopback: true, Causes: []Cause{Kill, Cut}},
		"all is no role":         {Roles: []Role{All}},
		"little quiet":           {Quiet: time.Millisecond},
		"no end of quiet":        {Quiet: 13 * time.Hour},
		"one relay too many":     {Relays: 60, Causes: []Cause{Join}},
		"a pair and its outage":  {Roles: []Role{Pair}, Outage: 5 * time.Second},
	}
	for name, o := range tests {
		o.Executable = "/nonexistent/stentor" // nothing may be started
		if r, err := Run(t.Context(), o); !errors.Is(err, ErrOptions) || r != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Run(t.Context(), Options{Conditions: wire.Conditions{RTT: time.Millisecond, Jitter: time.Second}, Executable: "/nonexistent"}); !errors.Is(err, ErrOptions) {
		t.Errorf("conditions there are not: %v", err)
	}
}

func TestDefaults(t *testing.T) {
	o, err := Options{}.withDefaults()
	if err != nil || o.Relays != 5 || o.Listeners != 200 || o.Delay != 200*time.Millisecond || o.Conditions.RTT != 40*time.Millisecond || len(o.Causes) != 4 || len(o.Roles) != 5 {
		t.Errorf("%+v, %v", o, err)
	}
	o, err = Options{Loopback: true}.withDefaults()
	if err != nil || len(o.Causes) != 3 {
		t.Errorf("%v, %v", o.Causes, err)
	}
	o, err = Options{Roles: []Role{None}, Causes: []Cause{Kill, None}}.withDefaults()
	if err != nil || len(o.Roles) != 0 || len(o.Causes) != 1 || len(Plan(o.Roles, o.Causes, o.Repeat)) != 0 {
		t.Errorf("%v of %v, %v", o.Causes, o.Roles, err)
	}
}
