package cost

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	fanoutJSON = `{"listeners":600,"packet_ms":60,"transport":"quic","duration_s":60,"expected":1800000,"delivered":1800000,"lost":0,
		"relay_cpu_us_per_datagram":12.5,"relay_cpu_us_per_listener_second":208,"relay_rss_bytes_per_listener":90000,
		"latency_ms":{"p50":1,"p99":2,"max":3},"slices":[{"start_s":1}]}`
	stormJSON = `{"offered_per_s":827,"joins":13627,"established":{"listeners":100},"relay_cpu_ms_per_join":0.9,
		"at_80_percent":{"first_audio_ms":{"p50":15,"p99":31,"max":40}}}`
	hopJSON = `{"relays":5,"listeners":200,"kills":[{"role":"edge","cause":"kill"},{"role":"red_root","cause":"drain","skipped":"gone"}],
		"took_ms":{"p50":50,"p99":61,"max":70},"rtt_ms":30,"jitter_ms":5}`
	drainJSON = `{"relays":5,"kills":[{"cause":"drain"}],"took_ms":{"p50":400,"p99":500,"max":600},"rtt_ms":30,"jitter_ms":5}`
	bothJSON  = `{"relays":5,"kills":[{"cause":"drain","took_ms":{"p50":400,"p99":500}},{"cause":"kill","took_ms":{"p50":50,"p99":55}},
		{"cause":"cut","took_ms":{"p50":48,"p99":70}},{"cause":"kill","hops":0,"took_ms":{"p50":0,"p99":0}}],
		"took_ms":{"p50":60,"p99":500,"max":600},"network":"loopback","rtt_ms":30,"jitter_ms":5}`
	plainJSON = `{"cpu_us_per_datagram_60ms":8,"links":[{"from":"par","to":"ams","rtt_ms":11.5}]}`
)

func overlay(t *testing.T, text string) (Constants, error) {
	t.Helper()
	return Constants{}.Overlay(strings.NewReader(text), "test.json")
}

func TestOverlay(t *testing.T) {
	wt := strings.NewReplacer(`"quic"`, `"webtransport"`, `:60,`, `:120,`).Replace(fanoutJSON)
	tests := []struct {
		name   string
		text   string
		want   map[Key]float64
		source string
	}{
		{"fanout", fanoutJSON, map[Key]float64{QUIC60: 12.5, MemoryQUIC: 90000}, "test.json, bench fanout"},
		{"fanout over WebTransport", wt, map[Key]float64{WebTransport120: 12.5, MemoryWebTransport: 90000}, "test.json, bench fanout"},
		{"storm", stormJSON, map[Key]float64{JoinCPU: 0.9, FirstAudio50: 15, FirstAudio99: 31}, "test.json, bench storm"},
		{"hop", hopJSON, map[Key]float64{Hop50: 50, Hop99: 61, RTTClient: 30, RTTZones: 30, RTTZone: 30, Jitter: 5}, "test.json, bench hop"},
		{"hop, of drains", drainJSON, map[Key]float64{Drain50: 400, Drain99: 500, RTTClient: 30, RTTZones: 30, RTTZone: 30, Jitter: 5}, "test.json, bench hop"},
		{"hop, of both, on one host", bothJSON, map[Key]float64{Drain50: 400, Drain99: 500, Hop50: 50, Hop99: 70}, "test.json, bench hop"},
		{"our own", plainJSON, map[Key]float64{QUIC60: 8}, "test.json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := overlay(t, tt.text)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range c.Figures() {
				want, _ := builtIn(f.Key)
				if value, changed := tt.want[f.Key]; changed {
					want.Value, want.Source = value, tt.source
				}
				if f != want {
					t.Errorf("%+v, want %+v", f, want)
				}
			}
		})
	}
	c, err := overlay(t, plainJSON)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.RTT("ams", "par"); got != 11500*time.Microsecond {
		t.Errorf("link: %v", got)
	}
}

func TestOverlayRefuses(t *testing.T) {
	without := func(text, part string) string {
		if !strings.Contains(text, part) {
			panic("the test removes " + part + " in vain")
		}
		return strings.Replace(text, part, "", 1)
	}
	instead := func(text, old, with string) string {
		if !strings.Contains(text, old) {
			panic("the test replaces " + old + " in vain")
		}
		return strings.Replace(text, old, with, 1)
	}
	tests := []struct {
		name, text string
		want       error
		says       string
	}{
		{"nothing", ``, ErrFormat, "EOF|unexpected end"},
		{"no JSON", `hello`, ErrFormat, "invalid"},
		{"cut short", fanoutJSON[:100], ErrFormat, "unexpected end"},
		{"two objects", plainJSON + plainJSON, ErrFormat, "after top-level"},
		{"a list", `[1,2]`, ErrFormat, ""},
		{"null", `null`, ErrFormat, "no figures"},
		{"empty", `{}`, ErrFormat, "no figures"},
		{"unknown key", `{"cpu_per_join":3}`, ErrUnknown, `"cpu_per_join"`},
		{"unknown key beside a known one", `{"gossip_nodes":8,"goss":3}`, ErrUnknown, `"goss"`},
		{"negative", `{"cpu_us_per_datagram_60ms":-8}`, ErrAbsurd, "want 0.5 to 2000 µs"},
		{"absurd", `{"cpu_us_per_datagram_60ms":8e9}`, ErrAbsurd, "want 0.5 to 2000 µs"},
		{"beyond all numbers", `{"cpu_us_per_datagram_60ms":1e999}`, ErrFormat, "no number"},
		{"a text", `{"cpu_us_per_datagram_60ms":"8"}`, ErrFormat, "no number"},
		{"no value", `{"cpu_us_per_datagram_60ms":null}`, ErrMissing, "cpu_us_per_datagram_60ms"},
		{"links, no list", `{"links":{"par":3}}`, ErrFormat, "links"},
		{"links, unknown key", `{"links":[{"from":"a","to":"b","rtt_ms":1,"loss":0.1}]}`, ErrFormat, "loss"},
		{"links, no time", `{"links":[{"from":"a","to":"b"}]}`, ErrMissing, "number 1"},
		{"links, negative", `{"links":[{"from":"a","to":"b","rtt_ms":-1}]}`, ErrAbsurd, ""},
		{"links, absurd", `{"links":[{"from":"a","to":"b","rtt_ms":1e300}]}`, ErrAbsurd, ""},
		{"fanout without CPU time", without(fanoutJSON, `"relay_cpu_us_per_datagram":12.5,`), ErrMissing, "--pid"},
		{"fanout, absurd CPU time", instead(fanoutJSON, `:12.5`, `:-12.5`), ErrAbsurd, ""},
		{"fanout, a length of packets that there is not", instead(fanoutJSON, `"packet_ms":60`, `"packet_ms":40`), ErrAbsurd, "want 20, 60 or 120"},
		{"fanout, packets of no number", instead(fanoutJSON, `"packet_ms":60`, `"packet_ms":"60ms"`), ErrFormat, "packet_ms"},
		{"fanout, another transport", instead(fanoutJSON, `"quic"`, `"tcp"`), ErrAbsurd, "tcp"},
		{"fanout, no transport", without(fanoutJSON, `"transport":"quic",`), ErrMissing, "transport"},
		{"fanout, partial", instead(fanoutJSON, `{`, `{"partial":true,`), ErrPartial, "again"},
		{"storm without CPU time", without(stormJSON, `,"relay_cpu_ms_per_join":0.9`), ErrMissing, "relay_cpu_ms_per_join"},
		{"storm of nothing", instead(stormJSON, `:0.9`, `:0`), ErrAbsurd, ""},
		{"storm without calm", `{"offered_per_s":1,"joins":1,"established":{},"relay_cpu_ms_per_join":1}`, ErrMissing, "at_80_percent.first_audio_ms.p50"},
		{"storm, calm is no object", `{"offered_per_s":1,"joins":1,"established":{},"relay_cpu_ms_per_join":1,"at_80_percent":3}`, ErrFormat, "at_80_percent"},
		{"storm, partial", instead(stormJSON, `{`, `{"partial":true,`), ErrPartial, ""},
		{"hop without a kill", instead(hopJSON, `{"role":"edge","cause":"kill"},`, ``), ErrMissing, "nobody hopped"},
		{"hop of both, without the times of each", instead(hopJSON, `,"skipped":"gone"`, ``), ErrMissing, "took_ms of a drain"},
		{"hop of both, partial", instead(bothJSON, `{`, `{"partial":true,`), ErrPartial, ""},
		{"hop of both, absurd", instead(bothJSON, `"p50":400`, `"p50":-400`), ErrAbsurd, ""},
		{"hop without a network", instead(hopJSON, `,"rtt_ms":30`, ``), ErrMissing, "rtt_ms"},
		{"hop without times", instead(hopJSON, `"p99":61,`, ``), ErrMissing, "took_ms.p99"},
		{"hop of no time", instead(hopJSON, `"p50":50`, `"p50":0`), ErrAbsurd, ""},
		{"hop, kills of another kind", instead(hopJSON, `[{"role":"edge","cause":"kill"},{"role":"red_root","cause":"drain","skipped":"gone"}]`, `3`), ErrFormat, "kills"},
		{"hop, partial", instead(hopJSON, `{`, `{"partial":true,`), ErrPartial, ""},
		{"too long", `{"gossip_nodes":` + strings.Repeat(" ", maxFile) + `8}`, ErrFormat, "longer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := overlay(t, tt.text)
			if !errors.Is(err, tt.want) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			if !containsAny(err.Error(), tt.says) {
				t.Errorf("%q does not say %q", err, tt.says)
			}
		})
	}
}

func containsAny(text, says string) bool {
	for _, s := range strings.Split(says, "|") {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// Later files win; what they do not say stays.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	f, p := file("fanout.json", fanoutJSON), file("own.json", plainJSON)
	c, err := Read(f, p)
	if err != nil {
		t.Fatal(err)
	}
	if c.Value(QUIC60) != 8 || c.Value(MemoryQUIC) != 90000 || c.Figure(QUIC60).Source != "own.json" {
		t.Errorf("%+v", c.Figures())
	}
	if c, err = Read(p, f); err != nil || c.Value(QUIC60) != 12.5 {
		t.Errorf("%v, %v", c.Value(QUIC60), err)
	}
	if c, err = Read(); err != nil || c.Value(QUIC60) != 35.2 {
		t.Errorf("no files: %v, %v", c.Value(QUIC60), err)
	}
	if _, err = Read(f, filepath.Join(dir, "none.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	bad := file("bad.json", `{"x":1}`)
	if _, err = Read(bad); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "bad.json") {
		t.Errorf("%v", err)
	}
}

// What Figures says can be read back.
func TestFiguresAreAFile(t *testing.T) {
	c, err := overlay(t, plainJSON)
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[Key]float64)
	for _, f := range c.Figures() {
		values[f.Key] = f.Value
	}
	b, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	again, err := overlay(t, string(b))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range values {
		if again.Value(k) != v {
			t.Errorf("%s is %v, was %v", k, again.Value(k), v)
		}
	}
}
