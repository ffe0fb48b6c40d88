package storm

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"go.uber.org/goleak"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		ok   bool
	}{
		{"the defaults", Options{Executable: "stentor"}, true},
		{"no listener", Options{Listeners: -1}, false},
		{"more than the machine should", Options{Listeners: 5001}, false},
		{"calm", Options{Factor: -1}, false},
		{"a hurricane", Options{Factor: 51}, false},
		{"short", Options{Duration: time.Millisecond}, false},
		{"long", Options{Duration: time.Hour}, false},
		{"endless afterwards", Options{After: time.Hour}, false},
		{"a rate below nothing", Options{JoinRate: -1}, false},
	} {
		_, err := tt.o.withDefaults()
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestMeaning(t *testing.T) {
	other := errors.New("something else")
	for _, tt := range []struct {
		err, want error
	}{
		{&quic.TransportError{ErrorCode: quic.ConnectionRefused}, errWait},
		{&session.ClosedError{Code: protocol.CodeClosed, Remote: true}, errWait},
		{&quic.HandshakeTimeoutError{}, errSilent},
		{&quic.IdleTimeoutError{}, errSilent},
		{context.DeadlineExceeded, errSilent},
		{other, other},
	} {
		if got := meaning(tt.err); !errors.Is(got, tt.want) {
			t.Errorf("%v: %v, want %v", tt.err, got, tt.want)
		}
	}
}

// Of those who come, people come again when their time has come, new ones come
// while there are some, and the rest only look in.
func TestWhoComes(t *testing.T) {
	c := &crowd{order: order{People: 2}, began: time.Now(), under: mostUnderWay}
	if c.send(t.Context(), 0, time.Now(), true) {
		t.Error("more are under way than may be")
	}
	now := time.Now()
	c = &crowd{order: order{People: 1}, began: now, people: 1, inside: 0, waiting: []time.Time{now.Add(time.Second)}}
	if c.send(t.Context(), 0, now, false) {
		t.Error("somebody came before the time")
	}
	if c.done() {
		t.Error("somebody still waits")
	}
	c.inside = 1
	if !c.done() {
		t.Error("all are in")
	}
}

// Nobody waits longer than half as long again as the lobby says, nor shorter than
// half of it.
func TestTold(t *testing.T) {
	for _, tt := range []struct {
		lobby       int64
		least, most time.Duration
	}{{0, 500 * time.Millisecond, 1500 * time.Millisecond}, {6000, 3 * time.Second, 9 * time.Second}} {
		c := &crowd{lobbyMS: tt.lobby, lobbyAsk: time.Now().Add(time.Hour)}
		for range 100 {
			if got := c.told(); got < tt.least || got > tt.most {
				t.Fatalf("told to wait %v where the lobby said %d ms", got, tt.lobby)
			}
		}
	}
}

func TestShareOut(t *testing.T) {
	for _, tt := range []struct{ all, relay, others []int }{
		{nil, nil, nil},
		{[]int{3}, []int{3}, []int{3}},
		{[]int{0, 1}, []int{0}, []int{1}},
		{[]int{2, 4, 6}, []int{2}, []int{4, 6}},
		{[]int{0, 1, 2, 3}, []int{0, 1}, []int{2, 3}},
	} {
		if m := shareOut(tt.all); !slices.Equal(m.relay, tt.relay) || !slices.Equal(m.others, tt.others) {
			t.Errorf("of %v the relay has %v, others %v; want %v and %v", tt.all, m.relay, m.others, tt.relay, tt.others)
		}
	}
}

// A process that keeps to some processors can be let go again.
func TestStayOn(t *testing.T) {
	all := ourProcessors()
	if len(all) < 2 {
		t.Skip("there is one processor")
	}
	if err := allStayOn(all[:1]); err != nil {
		t.Fatal(err)
	}
	got := ourProcessors()
	if err := allStayOn(all); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, all[:1]) || !slices.Equal(ourProcessors(), all) {
		t.Errorf("stayed on %v and then on %v; want %v and %v", got, ourProcessors(), all[:1], all)
	}
}

func result() *Result {
	r := &Result{Capacity: 200, Offered: 2000, StormS: 30, Joins: 60000, Admitted: 6000, Deferred: 54000, People: 4000, Ratio: 1.25}
	r.Established = Established{Listeners: 300, Expected: 150_000, Lost: 7, Late: 3}
	r.Speakers.Joins = 30
	r.seconds = []second{{Attempts: 2000, Admitted: 190, Waiting: 5}, {Attempts: 1900, Admitted: 210}}
	r.samples = []sample{{at: 0.5, cpuPercent: 120, rss: 100 << 20}}
	return r
}

func TestResult(t *testing.T) {
	b, err := json.Marshal(result())
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(b, &object); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"offered_per_s", "joins", "admitted", "deferred", "failed", "join_ms", "first_audio_ms", "relay_cpu_ms_per_join", "established"} {
		if _, ok := object[key]; !ok {
			t.Errorf("the JSON lacks %q: %s", key, b)
		}
	}
	established := object["established"].(map[string]any)
	if established["listeners"] != 300.0 || established["lost"] != 7.0 || established["late"] != 3.0 {
		t.Errorf("%v", established)
	}
	r := result()
	r.Partial = true
	var text, page strings.Builder
	if err := errors.Join(r.WriteText(&text), r.WriteHTML(&page)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2000 newcomers a second for 30 s, where the relay takes 200", "PARTIAL", "lost 7 of 150000", "1.25 ×"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q: %s", want, text.String())
		}
	}
	for _, want := range []string{"<svg", "had audio", "ended before its time", "150000"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// Orders are JSON, a line each; what is none ends the process with an error.
func TestNewcomersObeyOnlyOrders(t *testing.T) {
	var out strings.Builder
	if err := Newcomers(t.Context(), strings.NewReader(""), &out); err != nil || out.String() != "ready newcomers\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	if err := Newcomers(t.Context(), strings.NewReader("hello\n"), &out); err == nil {
		t.Error("took a greeting for an order")
	}
	if err := Newcomers(t.Context(), strings.NewReader(`{"address":"nowhere"}`+"\n"), &out); err == nil {
		t.Error("went to nowhere")
	}
}
