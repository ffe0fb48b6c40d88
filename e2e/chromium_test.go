package e2e

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stentor-audio/stentor/client/audio/sample"
	"github.com/stentor-audio/stentor/protocol"
)

// town is a relay with a voice that speaks without end, and the packets it says
// again and again.
type town struct {
	*relay
	voice   *child
	packets [][]byte
}

func startTown(t *testing.T, args ...string) *town {
	t.Helper()
	r := startRelay(t, args...)
	file := writeFile(t, "voice.opus", sample.Voice)
	voice := speak(t, r, "town", "ada", "--loop", file)
	return &town{r, voice, packetsOf(t, sample.Voice)}
}

// serveAgain starts the relay anew where the last one was.
func (tn *town) serveAgain(t *testing.T, args ...string) {
	t.Helper()
	at := strings.TrimPrefix(tn.url, "https://")
	tn.relay = serving(start(t, append([]string{"relay", "--listen", at, "--http", "127.0.0.1:0", "--admin", ""}, args...)...))
}

func (tn *town) task(t *testing.T) task {
	status, hash := get(t, tn.http+"/certificate.sha256")
	if status != http.StatusOK || len(hash) != 64 {
		t.Fatalf("certificate: %d %q", status, hash)
	}
	return task{URL: tn.url + "/town", Hash: hash, Speaker: "ada", Track: protocol.TrackAudio, Datagrams: true, Groups: 50}
}

// check compares what a page got, want groups of them, with what the voice said.
func (tn *town) check(t *testing.T, r report, got []arrival, want int) {
	t.Helper()
	if r.Error != "" || r.Protocol != protocol.Lite05.ALPN() || r.Timescale != protocol.AudioTimescale {
		t.Fatalf("the page says %q: protocol %q, timescale %d", r.Error, r.Protocol, r.Timescale)
	}
	if len(got) != want {
		t.Errorf("%d groups, want %d", len(got), want)
	}
	slices.SortFunc(got, func(a, b arrival) int { return cmp.Compare(a.Sequence, b.Sequence) })
	for i, a := range got {
		if next := got[0].Sequence + uint64(i); a.Sequence != next {
			t.Fatalf("group %d is followed by %d", next-1, a.Sequence)
		}
		if i > 0 && a.Timestamp <= got[i-1].Timestamp {
			t.Errorf("group %d stands at %d, not after %d", a.Sequence, a.Timestamp, got[i-1].Timestamp)
		}
		timestamp, packet, err := protocol.ParseLegacy(a.Payload)
		if err != nil || timestamp != a.Timestamp {
			t.Errorf("group %d: its container says %d, %v; want %d", a.Sequence, timestamp, err, a.Timestamp)
		}
		if said := tn.packets[a.Sequence%uint64(len(tn.packets))]; !bytes.Equal(packet, said) {
			t.Fatalf("group %d: %d bytes that were not said", a.Sequence, len(packet))
		}
	}
}

func TestBrowserReadsDatagrams(t *testing.T) {
	t.Parallel()
	tn := startTown(t, "--open")
	work := tn.task(t)
	r := servePage(t, work).browse(t)
	tn.check(t, r, r.Datagrams, work.Groups)
	if len(r.Groups) != 0 {
		t.Errorf("%d groups came as streams", len(r.Groups))
	}
}

func TestBrowserThatReadsNoDatagramsGetsStreams(t *testing.T) {
	t.Parallel()
	tn := startTown(t, "--open")
	work := tn.task(t)
	want := work.Groups
	work.Datagrams, work.Groups = false, want+10
	r := servePage(t, work).browse(t)
	// Streams overtake each other: of the last that the page waited for, one may lack.
	slices.SortFunc(r.Groups, func(a, b arrival) int { return cmp.Compare(a.Sequence, b.Sequence) })
	tn.check(t, r, r.Groups[:min(want, len(r.Groups))], want)
	if len(r.Datagrams) != 0 {
		t.Errorf("%d datagrams came", len(r.Datagrams))
	}
}

func TestPageOfAForeignOriginIsRefused(t *testing.T) {
	t.Parallel()
	// The relay must know the page, whose task names the relay: the page waits.
	ours := newPage(t)
	tn := startTown(t, "--open", "--origin", "https://rooms.example", "--origin", ours.URL)
	work := tn.task(t)
	work.Groups = 10
	foreign := servePage(t, work)

	r := foreign.browse(t)
	if r.Error == "" || len(r.Datagrams)+len(r.Groups) != 0 {
		t.Errorf("the foreign page got %d datagrams and %d streams; error %q", len(r.Datagrams), len(r.Groups), r.Error)
	}
	const refused = `stentor_sessions_refused_total{reason="origin"} 1`
	if _, metrics := get(t, tn.admin+"/metrics"); !strings.Contains(metrics, refused+"\n") {
		t.Errorf("the relay does not say that it refused an origin; want %s", refused)
	}

	ours.give(work)
	r = ours.browse(t)
	tn.check(t, r, r.Datagrams, work.Groups)
}
