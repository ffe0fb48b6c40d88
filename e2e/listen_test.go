package e2e

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stentor-audio/stentor/client/audio/sample"
)

// A listener is `stentor listen` as a child, which writes to out and stats. Its
// playout delay is far above what a busy machine holds a packet up, so what is
// lost was lost by the program.
type listener struct {
	*child
	out, stats string
}

func startListener(t *testing.T, r *relay, room, out string, args ...string) *listener {
	t.Helper()
	dir := t.TempDir()
	l := &listener{out: filepath.Join(dir, out), stats: filepath.Join(dir, "stats.json")}
	l.child = start(t, append([]string{"listen", "--relay", r.url, "--room", room, "--delay", "2s",
		"--out", l.out, "--stats", l.stats}, args...)...)
	return l
}

// stop ends the listener as Ctrl-C does and returns its last stats.
func (l *listener) stop() stats {
	l.t.Helper()
	l.signal(syscall.SIGINT)
	l.succeed()
	return l.last()
}

// last returns the stats of a listener that has ended.
func (l *listener) last() stats {
	l.t.Helper()
	s, ok := readStats(l.t, l.stats)
	if !ok {
		l.t.Fatalf("%s: wrote no stats", l)
	}
	return s
}

// heard says whether a listener has played a speaker's frames up to last.
func heard(last uint64) func(stats) bool {
	return func(s stats) bool { return len(s.Tracks) == 1 && *s.Tracks[0].Last >= last }
}

// played says whether a listener has played n frames of a speaker.
func played(n uint64) func(stats) bool {
	return func(s stats) bool { return len(s.Tracks) == 1 && *s.Tracks[0].Played >= n }
}

// speak starts `stentor speak`.
func speak(t *testing.T, r *relay, room, name string, args ...string) *child {
	t.Helper()
	return start(t, append([]string{"speak", "--relay", r.url, "--room", room, "--name", name}, args...)...)
}

func TestPacketsArriveBitForBit(t *testing.T) {
	t.Parallel()
	tn := startTown(t, "--open")
	for _, transport := range []string{"quic", "webtransport"} {
		for _, packet := range []string{"20ms", "60ms", "120ms"} {
			t.Run(transport+" "+packet, func(t *testing.T) {
				t.Parallel()
				l := startListener(t, tn.relay, "town", "out.opus", "--speaker", "ada", "--"+transport, "--packet", packet)
				follow(t, l.stats, "two seconds of speech", played(100))
				last := l.stop()
				tn.same(t, l.out, last.flawless(t, "ada"))
				if *last.Room != "town" || *last.Relay != tn.name || last.LatencyMS == nil || *last.DurationMS <= 0 || len(last.Hops) != 0 {
					t.Errorf("stats %+v", last)
				}
			})
		}
	}
}

// same compares a recording, packet by packet, with what the voice said.
func (tn *town) same(t *testing.T, recording string, tr trackStats) {
	t.Helper()
	b, err := os.ReadFile(recording)
	if err != nil {
		t.Fatal(err)
	}
	got := packetsOf(t, b)
	if uint64(len(got)) != *tr.Expected {
		t.Errorf("%d packets in the file, %d expected", len(got), *tr.Expected)
	}
	for i, packet := range got {
		sequence := *tr.First + uint64(i)
		if !bytes.Equal(packet, tn.packets[sequence%uint64(len(tn.packets))]) {
			t.Fatalf("packet %d of the file, frame %d, is not what was said", i, sequence)
		}
	}
}

func TestFileIsHeardToItsEnd(t *testing.T) {
	t.Parallel()
	// 62 packets are no whole number of bundles of 60 or 120 ms.
	const frames = 62
	all := packetsOf(t, sample.Voice)[:frames]
	r := startRelay(t, "--open")
	file := writeFile(t, "voice.opus", opusFile(t, all))
	for _, packet := range []string{"20ms", "60ms", "120ms"} {
		t.Run(packet, func(t *testing.T) {
			t.Parallel()
			l := startListener(t, r, packet, "out.opus", "--speaker", "ada", "--packet", packet)
			follow(t, l.stats, "it listens", func(s stats) bool { return *s.Relay != "" })
			speak(t, r, packet, "ada", file).succeed()
			follow(t, l.stats, "the last frame", heard(frames-1))
			tr := l.stop().flawless(t, "ada")
			if *tr.Last != frames-1 {
				t.Errorf("last frame %d, want %d", *tr.Last, frames-1)
			}
			(&town{packets: all}).same(t, l.out, tr)
		})
	}
}

func TestNamesInOtherScriptsAndWithSpaces(t *testing.T) {
	t.Parallel()
	r := startRelay(t, "--open")
	file := writeFile(t, "voice.opus", sample.Voice)
	for _, name := range [][2]string{{"Rathaus Süd", "Jürgen Müller"}, {"集会", "小林 さん"}, {"%2F?jwt=x", "#&+\\"}, {strings.Repeat("ß", 128), "🎙️"}} {
		t.Run(name[0], func(t *testing.T) {
			t.Parallel()
			speak(t, r, name[0], name[1], file)
			l := startListener(t, r, name[0], "out.opus", "--speaker", name[1])
			follow(t, l.stats, "half a second of speech", played(25))
			l.stop().flawless(t, name[1])
		})
	}
}

func TestFrozenListenerCostsNobodyElse(t *testing.T) {
	t.Parallel()
	tn := startTown(t, "--open")
	var all []*listener
	for range 3 {
		all = append(all, startListener(t, tn.relay, "town", "out.opus", "--speaker", "ada", "--packet", "20ms"))
	}
	for _, l := range all {
		follow(t, l.stats, "it hears", heard(1))
	}
	frozen, awake := all[0], all[1:]
	frozen.signal(syscall.SIGSTOP)
	// Two seconds, by the clock of the frames.
	now := *follow(t, awake[0].stats, "it hears", heard(1)).Tracks[0].Last
	for _, l := range awake {
		follow(t, l.stats, "it hears on", heard(now+100))
	}
	frozen.signal(syscall.SIGCONT)
	for _, l := range awake {
		tn.same(t, l.out, l.stop().flawless(t, "ada"))
	}
	frozen.stop()
}

func TestRoomSpeakerAndRelayFromTheEnvironment(t *testing.T) {
	t.Parallel()
	r := startRelay(t, "--open")
	file := writeFile(t, "voice.opus", sample.Voice)
	env := []string{"STENTOR_RELAY=" + r.url, "STENTOR_ROOM=town", "STENTOR_NAME=ada"}
	spawn(t, env, stentor, "speak", file)
	dir := t.TempDir()
	l := &listener{out: filepath.Join(dir, "out.opus"), stats: filepath.Join(dir, "stats.json")}
	env = append(env, "STENTOR_SPEAKER=ada", "STENTOR_STATS="+l.stats, "STENTOR_OUT="+l.out)
	l.child = spawn(t, env, stentor, "listen")
	follow(t, l.stats, "a little speech", played(10))
	if s := l.stop(); *s.Room != "town" {
		t.Errorf("stats %+v", s)
	}
	if err := os.Remove(l.out); err != nil {
		t.Fatal(err)
	}

	// The command line wins; and a recording of nothing is a failure.
	l.child = spawn(t, append(env, "STENTOR_DURATION=1s"), stentor, "listen", "--room", "village")
	if code := l.wait(); code != exitFailed || !strings.Contains(l.stderr.text(), "nobody was heard") {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	if s := l.last(); *s.Room != "village" || len(s.Tracks) != 0 {
		t.Errorf("the command line does not win: %+v", s)
	}
	if _, err := os.Stat(l.out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a recording of nobody: %v", err)
	}
}

// TestOpusFileHoldsOneSpeaker: of two voices it would be chance which it is.
func TestOpusFileHoldsOneSpeaker(t *testing.T) {
	t.Parallel()
	tn := startTown(t, "--open")
	file := writeFile(t, "voice.opus", sample.Voice)
	bob := speak(t, tn.relay, "town", "bob", "--loop", file)
	eventually(t, "both speak", func() bool {
		_, body := get(t, tn.http+"/v1/rooms/town")
		return strings.Contains(body, `"name":"ada"`) && strings.Contains(body, `"name":"bob"`)
	})

	both := startListener(t, tn.relay, "town", "out.opus")
	if code := both.wait(); code != exitUsage {
		t.Errorf("exit code %d, want %d", code, exitUsage)
	}
	if said := both.stderr.text(); !strings.Contains(said, "ada, bob") || !strings.Contains(said, "--speaker") {
		t.Errorf("said %q", said)
	}
	one := startListener(t, tn.relay, "town", "out.opus", "--speaker", "bob")
	follow(t, one.stats, "half a second of speech", played(25))
	one.stop().flawless(t, "bob")

	second := refusal{code: exitFailed, says: "choose another name",
		args: []string{"speak", "--relay", tn.url, "--room", "town", "--name", "ada", file}}
	second.run(t)
	bob.signal(syscall.SIGTERM)
	bob.succeed()
}

// TestRelayComesBack kills a relay and starts it again on the same port, with the
// identity that lies in --data-dir: speaker and listener find it again.
func TestRelayComesBack(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	tn := startTown(t, "--open", "--data-dir", dir)
	l := startListener(t, tn.relay, "town", "out.opus", "--speaker", "ada")
	before := *follow(t, l.stats, "half a second of speech", played(25)).Tracks[0].Last

	tn.kill()
	tn.wait()
	tn.serveAgain(t, "--open", "--data-dir", dir)
	// Whoever waits beside a listener that goes on is sent what that one missed.
	follow(t, l.stats, "the listener that was there", func(s stats) bool {
		return len(s.Tracks) == 1 && s.Tracks[0].Last != nil && *s.Tracks[0].Last > before+100
	})
	newcomer := startListener(t, tn.relay, "town", "out.opus", "--speaker", "ada")
	follow(t, newcomer.stats, "half a second of speech", played(25))
	if s := newcomer.stop(); *s.flawless(t, "ada").First <= before {
		t.Errorf("the numbers begin again with %d, after %d", *s.Tracks[0].First, before)
	}
	l.signal(syscall.SIGTERM)
	l.succeed()
}
