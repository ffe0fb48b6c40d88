package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/client/playout"
	"github.com/stentor-audio/stentor/protocol"
)

func TestParseURL(t *testing.T) {
	for _, tt := range []struct {
		raw, shown, authority, request string
	}{
		{"https://relay.example", "https://relay.example:443", "relay.example:443", "/"},
		{"https://relay.example:4443/", "https://relay.example:4443", "relay.example:4443", "/"},
		{"https://relay.example/town/?jwt=abc", "https://relay.example:443/town", "relay.example:443", "/town?jwt=abc"},
		{"https://h/a//b?x=1&jwt=one&jwt=two", "https://h:443/a/b", "h:443", "/a/b?jwt=two&x=1"},
		{"https://h/?jwt=", "https://h:443", "h:443", "/"},
		{"moqt://10.0.0.1:4443", "moqt://10.0.0.1:4443", "10.0.0.1:4443", "/"},
		{"http://[::1]:8080/r", "http://[::1]:8080/r", "[::1]:8080", "/r"},
		{"http://localhost", "http://localhost:80", "localhost:80", "/"},
		{"https://h/Sala%20A", "https://h:443/Sala%20A", "h:443", "/Sala%20A"},
	} {
		e, err := parseURL(tt.raw)
		if err != nil {
			t.Errorf("%s: %v", tt.raw, err)
			continue
		}
		e = e.withToken("")
		if e.String() != tt.shown || e.authority() != tt.authority || e.request() != tt.request {
			t.Errorf("%s: shown %s, authority %s, request %s", tt.raw, e, e.authority(), e.request())
		}
	}
	for _, raw := range []string{
		"", "relay.example:4443", "ftp://relay.example", "https://", "https://:4443", "https://user:secret@relay.example",
		"https://relay.example:port", "https://relay.example/%zz", "https://relay.example/?jwt=%zz&secret",
		"https://relay.example/" + strings.Repeat("a/", 33), "://", "https://h/\xff?secret",
	} {
		_, err := parseURL(raw)
		if !isKind(err, ErrAddress) {
			t.Errorf("%q: %v, want ErrAddress", raw, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error shows it: %v", raw, err)
		}
	}
}

func TestPathWithinASession(t *testing.T) {
	for _, tt := range []struct{ url, path, want string }{
		{"https://h", "town/ada", "town/ada"},
		{"https://h/town", "town/ada", "ada"},
		{"https://h/town/ada", "town/ada", ""},
		{"https://h/tow", "town/ada", "town/ada"},
		{"https://h/anon", "town/ada", "town/ada"},
	} {
		e, err := parseURL(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.inside(protocol.Path(tt.path)); string(got) != tt.want {
			t.Errorf("%s within %s is %q, want %q", tt.path, tt.url, got, tt.want)
		}
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.8.9.1": true, "[::1]": true, "localhost": true, "LOCALHOST": true,
		"10.0.0.1": false, "relay.example": false, "localhost.example": false, "127.0.0.1.example": false,
	} {
		e, err := parseURL("https://" + host)
		if err != nil {
			t.Fatal(err)
		}
		if e.loopback() != want {
			t.Errorf("%s: %v", host, e.loopback())
		}
	}
}

func TestParseHash(t *testing.T) {
	hash := strings.Repeat("0f", 32)
	for _, good := range []string{hash, strings.ToUpper(hash), hash + "\n", strings.TrimSuffix(strings.Repeat("0F:", 32), ":")} {
		if h, err := ParseHash(good); err != nil || h.String() != hash {
			t.Errorf("%q: %v, %v", good, h, err)
		}
	}
	for _, bad := range []string{"", "0f", hash + "0f", "zz" + hash[2:], "<html>"} {
		if _, err := ParseHash(bad); !errors.Is(err, ErrAddress) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestBackoff(t *testing.T) {
	var b backoff
	lived := []time.Duration{0, 0, 0, 0, 500 * time.Millisecond, 2 * time.Second, 0}
	least := []time.Duration{500, 1000, 2000, 2500, 2500, 500, 1000}
	for i := range lived {
		low := b
		if got := low.next(lived[i], 0); got != least[i]*time.Millisecond {
			t.Errorf("attempt %d waits %v at least, want %v", i, got, least[i]*time.Millisecond)
		}
		if got := b.next(lived[i], 1); got != 2*least[i]*time.Millisecond {
			t.Errorf("attempt %d waits %v at most, want %v", i, got, 2*least[i]*time.Millisecond)
		}
	}
}

// TestPace feeds moments at which a source is ready and compares when each frame
// goes, in milliseconds.
func TestPace(t *testing.T) {
	tests := []struct {
		name   string
		ready  []float64 // when the source has each frame
		goes   []float64
		stands []float64
	}{
		{"a file", []float64{0, 0, 20, 40}, []float64{0, 20, 40, 60}, []float64{0, 20, 40, 60}},
		{"a microphone", []float64{5, 26, 44, 65}, []float64{5, 26, 45, 65}, []float64{5, 25, 45, 65}},
		{"held up for 100 ms", []float64{0, 120, 120, 120, 120, 120, 120, 120}, []float64{0, 120, 120, 120, 120, 120, 120, 140},
			[]float64{0, 20, 40, 60, 80, 100, 120, 140}},
		{"asleep", []float64{0, 10_000, 10_000}, []float64{0, 10_000, 10_020}, []float64{0, 10_000, 10_020}},
	}
	base := time.Unix(1_000_000, 0)
	millis := func(at time.Time) float64 { return float64(at.Sub(base)) / float64(time.Millisecond) }
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p pace
			for i, ready := range tt.ready {
				goes, stands := p.next(base.Add(time.Duration(ready*float64(time.Millisecond))), true)
				if millis(goes) != tt.goes[i] || millis(stands) != tt.stands[i] {
					t.Errorf("frame %d goes at %v and stands at %v, want %v and %v", i, millis(goes), millis(stands), tt.goes[i], tt.stands[i])
				}
			}
		})
	}
}

// TestPaceProperties: whatever holds a sender up, frames go in order and not
// early, stand 20 ms apart unless time jumps where it may, and no second sees
// more of them than a relay takes.
func TestPaceProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p pace
		at := time.Unix(1_000_000, 0)
		var gone []time.Time
		var last time.Time
		for i := range rapid.IntRange(1, 800).Draw(t, "frames") {
			if rapid.IntRange(0, 99).Draw(t, "stall?") == 0 {
				at = at.Add(time.Duration(rapid.IntRange(0, 6000).Draw(t, "stall")) * time.Millisecond)
			}
			aligned := i%bundle == 0
			goes, stands := p.next(at, aligned)
			if goes.Before(at) || goes.Before(stands) {
				t.Fatalf("frame %d goes early", i)
			}
			if step := stands.Sub(last); i > 0 && step != FrameDuration && (!aligned || step < FrameDuration) {
				t.Fatalf("frame %d stands %v after the one before", i, step)
			}
			last, at = stands, goes
			gone = append(gone, goes)
			if n := len(gone); n > burst+100 && gone[n-1].Sub(gone[n-1-burst-100]) < time.Second {
				t.Fatalf("%d frames within a second", burst+100)
			}
		}
	})
}

func TestGate(t *testing.T) {
	// s is a silent frame, T one with speech; what goes out is numbered.
	for _, tt := range []struct{ frames, want string }{
		{"ssss", "...."},
		{"Tsssss", "012345"},
		{"Tssssssss", "012345..."},
		{"TTTTTTsss", "012345..."},
		{"TTTTTTTsssssss", "0123456789ab.."},
		{"ssTsssTssssss", "..012345....."},
		{"TssssssT", "012345.6"},
	} {
		var g gate
		var got strings.Builder
		var next uint64
		for _, f := range tt.frames {
			if !g.pass(next, f == 's') {
				got.WriteByte('.')
				continue
			}
			got.WriteByte("0123456789abcdef"[next])
			next++
		}
		if got.String() != tt.want {
			t.Errorf("%s gives %s, want %s", tt.frames, got.String(), tt.want)
		}
	}
}

func rendition(track, codec string, container protocol.Container) protocol.Rendition {
	return protocol.Rendition{Track: track, Codec: codec, SampleRate: 48000, Channels: 1, Container: container}
}

func TestChoose(t *testing.T) {
	own := SpeakOptions{}.withDefaults().catalog()
	const ms = time.Millisecond
	elsewhere := rendition("audio/data", "opus", "legacy")
	elsewhere.Broadcast = "../bob"
	surround := rendition("audio/data", "opus", "legacy")
	surround.Channels = 6
	tests := []struct {
		name    string
		catalog protocol.Catalog
		want    time.Duration
		source  string
		bundle  string
	}{
		{"own, 20 ms", own, 20 * ms, "audio/data", ""},
		{"own, 60 ms", own, 60 * ms, "audio/data", "audio/60ms"},
		{"own, 120 ms", own, 120 * ms, "audio/data", "audio/120ms"},
		{"a browser's", protocol.Catalog{Audio: []protocol.Rendition{rendition("audio/data", "opus", "legacy")}}, 60 * ms, "audio/data", ""},
		{"first legacy", protocol.Catalog{Audio: []protocol.Rendition{
			rendition("x", "opus", "loc"), rendition("a", "mp4a.40.2", "legacy"), rendition("b", "opus", "legacy"), rendition("c", "opus", "legacy")}}, 20 * ms, "b", ""},
		{"loc if there is no other", protocol.Catalog{Audio: []protocol.Rendition{rendition("x", "opus", "cmaf"), rendition("y", "opus", "loc")}}, 20 * ms, "y", ""},
		{"a bundle of another length", protocol.Catalog{Audio: []protocol.Rendition{
			rendition("audio/data", "opus", "legacy"), rendition("audio/120ms", "opus", "stentor-bundle")}}, 60 * ms, "audio/data", ""},
		{"a bundle's name without its container", protocol.Catalog{Audio: []protocol.Rendition{
			rendition("audio/data", "opus", "legacy"), rendition("audio/60ms", "opus", "legacy")}}, 60 * ms, "audio/data", ""},
		{"nothing", protocol.Catalog{}, 60 * ms, "", ""},
		{"another codec", protocol.Catalog{Audio: []protocol.Rendition{rendition("audio/data", "<script>alert(1)</script>", "legacy")}}, 60 * ms, "", ""},
		{"bundles only", protocol.Catalog{Audio: []protocol.Rendition{rendition("audio/60ms", "opus", "stentor-bundle")}}, 60 * ms, "", ""},
		{"in another broadcast", protocol.Catalog{Audio: []protocol.Rendition{elsewhere}}, 60 * ms, "", ""},
		{"six channels", protocol.Catalog{Audio: []protocol.Rendition{surround}}, 60 * ms, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := choose(tt.catalog, tt.want)
			if got.source.Track != tt.source || got.bundle.Track != tt.bundle || (err != nil) != (tt.source == "") {
				t.Errorf("chose %q and %q, %v; want %q and %q", got.source.Track, got.bundle.Track, err, tt.source, tt.bundle)
			}
		})
	}
}

func TestUnpack(t *testing.T) {
	legacy := format{container: protocol.ContainerLegacy, size: 1, timescale: 1000000}
	three := format{container: protocol.ContainerBundle, size: 3, timescale: 1000}
	a, b, c := packet(1), packet(2), packet(3)
	tests := []struct {
		name   string
		format format
		group  uint64
		frame  protocol.Frame
		want   []frame
		bad    bool
	}{
		{"legacy", legacy, 7, protocol.Frame{Timestamp: 1, Payload: protocol.AppendLegacy(nil, 5000, a)}, []frame{{7, 5000, a}}, false},
		{"loc", format{container: protocol.ContainerLOC, size: 1}, 7, protocol.Frame{Payload: protocol.AppendLOC(nil, 5000, a)}, []frame{{7, 5000, a}}, false},
		{"end marker", legacy, 7, protocol.Frame{Payload: protocol.AppendLegacy(nil, 5000, nil)}, nil, false},
		{"whole bundle", three, 2, protocol.Frame{Timestamp: 40, Payload: protocol.AppendBundle(nil, [][]byte{a, b, c})},
			[]frame{{6, 40000, a}, {7, 60000, b}, {8, 80000, c}}, false},
		{"bundle with a hole", three, 2, protocol.Frame{Timestamp: 40, Payload: protocol.AppendBundle(nil, [][]byte{a, nil, c})},
			[]frame{{6, 40000, a}, {8, 80000, c}}, false},
		{"bundle of something else", three, 2, protocol.Frame{Timestamp: 40, Payload: protocol.AppendBundle(nil, [][]byte{a, {0xff}, c})},
			[]frame{{6, 40000, a}, {8, 80000, c}}, true},
		{"bundle of two", three, 2, protocol.Frame{Payload: protocol.AppendBundle(nil, [][]byte{a, b})}, nil, true},
		{"bundle out of range", three, protocol.MaxInteger, protocol.Frame{Payload: protocol.AppendBundle(nil, [][]byte{a, b, c})}, nil, true},
		{"no Opus", legacy, 7, protocol.Frame{Payload: protocol.AppendLegacy(nil, 5000, []byte{0xff})}, nil, true},
		{"nothing at all", legacy, 7, protocol.Frame{}, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.format.unpack(nil, tt.group, tt.frame)
			if (err != nil) != tt.bad || len(got) != len(tt.want) {
				t.Fatalf("got %v, %v; want %v", got, err, tt.want)
			}
			for i, w := range tt.want {
				if got[i].sequence != w.sequence || got[i].timestamp != w.timestamp || !bytes.Equal(got[i].opus, w.opus) {
					t.Errorf("frame %d is %+v, want %+v", i, got[i], w)
				}
			}
		})
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(uint8(0), uint64(7), uint64(1), protocol.AppendLegacy(nil, 5000, packet(1)))
	f.Add(uint8(1), uint64(7), uint64(1), protocol.AppendLOC(nil, 5000, packet(1)))
	f.Add(uint8(2), uint64(7), uint64(1), protocol.AppendBundle(nil, [][]byte{packet(1), nil, packet(3)}))
	f.Add(uint8(3), uint64(7), uint64(1), protocol.AppendBundle(nil, make([][]byte, 6)))
	f.Fuzz(func(t *testing.T, kind uint8, group, timestamp uint64, payload []byte) {
		formats := []format{
			{protocol.ContainerLegacy, 1, 1000000}, {protocol.ContainerLOC, 1, 48000},
			{protocol.ContainerBundle, 3, 1000}, {protocol.ContainerBundle, 6, 1},
		}
		format := formats[int(kind)%len(formats)]
		frames, _ := format.unpack(nil, group, protocol.Frame{Timestamp: timestamp, Payload: payload})
		if len(frames) > format.size {
			t.Fatalf("%d frames out of a group of %d", len(frames), format.size)
		}
		for _, f := range frames {
			if f.sequence/uint64(format.size) != group {
				t.Fatalf("frame %d is not of group %d", f.sequence, group)
			}
			if _, err := protocol.ParseOpus(f.opus); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestHistogram(t *testing.T) {
	var h histogram
	if h.quantile(0.5) != 0 {
		t.Error("an empty histogram has a median")
	}
	for i := 1; i <= 1000; i++ {
		h.add(time.Duration(i) * time.Millisecond)
	}
	h.add(-time.Second) // counts as nothing
	for q, want := range map[float64]time.Duration{0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond, 1: time.Second} {
		if got := h.quantile(q); math.Abs(float64(got-want)) > 0.03*float64(want) {
			t.Errorf("quantile %v is %v, want %v within 3 %%", q, got, want)
		}
	}
	h.add(time.Hour)
	if h.max != time.Hour || h.quantile(1) != time.Hour {
		t.Errorf("max %v, last quantile %v, want an hour", h.max, h.quantile(1))
	}
}

func TestHopLog(t *testing.T) {
	const ms = time.Millisecond
	var h hopLog
	away := func(from, to string, took time.Duration) hop.Effect {
		return hop.Effect{Kind: hop.Hopped, From: from, To: to, Cause: hop.CauseClosed, Took: took}
	}
	h.count(0, 3) // lost before any hop
	h.count(100*ms, 3)
	h.count(200*ms, 5)
	h.hopped(away("a", "b", 100*ms), 260*ms) // began at 160
	h.count(300*ms, 8)
	h.count(2200*ms, 9)
	h.count(2400*ms, 9)  // settled
	h.count(5000*ms, 20) // of no hop
	want := HopStats{AtMS: 160, From: "a", To: "b", Cause: "closed", TookMS: 100, Lost: 6}
	if len(h.list) != 1 || h.list[0].HopStats != want {
		t.Errorf("hops %+v, want %+v", h.list, want)
	}
	// Of two in a row, each is charged with its own.
	h.hopped(away("b", "c", 0), 5050*ms)
	h.count(5100*ms, 21)
	h.count(5200*ms, 23)
	h.hopped(away("c", "d", 0), 5250*ms)
	h.count(5300*ms, 27)
	if b, c := h.list[1].Lost, h.list[2].Lost; b != 3 || c != 4 {
		t.Errorf("%d and %d lost by two hops, want 3 and 4", b, c)
	}
	for i := range 3 * maxHops {
		h.hopped(away("a", "b", 0), 6*time.Second+time.Duration(i))
		h.count(6*time.Second+time.Duration(i), 27)
	}
	if len(h.list) != maxHops || len(h.counts) != lostKept {
		t.Errorf("%d hops and %d counts are remembered", len(h.list), len(h.counts))
	}
}

func TestAddStats(t *testing.T) {
	one := playout.Stats{First: 10, Last: 19, Expected: 10, Played: 9, Lost: 1}
	two := playout.Stats{First: 25, Last: 29, Expected: 5, Played: 5, Repaired: 1}
	if got := addStats(one, two); got.First != 10 || got.Last != 29 || got.Expected != 15 || got.Played != 14 || got.Lost != 1 || got.Repaired != 1 {
		t.Errorf("sum %+v", got)
	}
	if got := addStats(one, playout.Stats{}); got != one {
		t.Errorf("with nothing %+v", got)
	}
	if got := addStats(playout.Stats{}, two); got != two {
		t.Errorf("after nothing %+v", got)
	}
}

// TestStatsFile compares the file's shape with the documented one, and checks
// that nothing else is left in the folder.
func TestStatsFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "stats.json")
	s := Stats{Room: "r", DurationMS: 30000, Relay: "relay-b", Standby: "relay-c",
		Tracks: []TrackStats{{Speaker: "ada", First: 812, Last: 2311, Expected: 1500, Played: 1500, Repaired: 2, Duplicate: 14}},
		Hops:   []HopStats{{AtMS: 9120, From: "relay-a", To: "relay-b", Cause: "silence", TookMS: 71}}, Latency: &LatencyMillis{}}
	for range 2 { // the second replaces the first
		if err := s.WriteFile(path); err != nil {
			t.Fatal(err)
		}
	}
	const want = `{"room":"r","duration_ms":30000,"relay":"relay-b","standby":"relay-c",` +
		`"tracks":[{"speaker":"ada","first":812,"last":2311,"expected":1500,"played":1500,"lost":0,"concealed":0,` +
		`"repaired":2,"duplicate":14,"late":0}],` +
		`"hops":[{"at_ms":9120,"from":"relay-a","to":"relay-b","cause":"silence","took_ms":71,"lost":0}],` +
		`"latency_ms":{"p50":0,"p99":0,"max":0}}` + "\n"
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("file holds\n%swant\n%s(%v)", got, want, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files are left behind", len(entries))
	}
	if err := s.WriteFile(filepath.Join(dir, "no", "such", "folder")); err == nil {
		t.Error("written into a folder that does not exist")
	}
	empty, err := json.Marshal(Stats{Tracks: []TrackStats{}, Hops: []HopStats{}})
	if err != nil || !strings.Contains(string(empty), `"tracks":[],"hops":[]`) || strings.Contains(string(empty), "latency_ms") {
		t.Errorf("empty stats are %s", empty)
	}
}
