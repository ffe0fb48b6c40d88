package e2e

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stentor-audio/stentor/client/audio/ogg"
	"github.com/stentor-audio/stentor/client/audio/sample"
	"github.com/stentor-audio/stentor/client/audio/wav"
)

// stereoFile is an Ogg Opus file that says it has two channels.
func stereoFile(t *testing.T, packets [][]byte) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := ogg.NewWriter(&file, ogg.WriterConfig{Channels: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if err := w.WritePacket(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestFilesThatCannotBeSpoken(t *testing.T) {
	t.Parallel()
	r := startRelay(t, "--open")
	few := packetsOf(t, sample.Voice)[:10]
	mono := opusFile(t, few)
	sound := chirpFile(t, wav.Format{Rate: 8000, Channels: 1, Encoding: wav.PCM16})
	for _, tt := range []struct {
		name, file string
		content    []byte
		says       string
	}{
		{"text", "page.opus", []byte("<html>not found</html>"), "not audio but text"},
		{"nothing", "empty.opus", nil, "empty"},
		{"noise", "noise.wav", bytes.Repeat([]byte{0, 0xa5, 0x5a, 1}, 5000), "not audio"},
		{"head of an Opus file", "head.opus", mono[:20], "ends early"},
		{"Opus file cut short", "cut.opus", mono[:len(mono)-7], "ends early"},
		{"head of a WAV file", "head.wav", sound[:30], "head.wav"},
		{"mono, then stereo", "chained.opus", append(bytes.Clone(mono), stereoFile(t, few)...), "a second stream follows"},
	} {
		path := writeFile(t, tt.file, tt.content)
		t.Run(tt.name, refusal{code: exitFailed, says: tt.says,
			args: []string{"speak", "--relay", r.url, "--room", tt.file, "--name", "ada", path}}.check)
	}
	t.Run("folder", refusal{code: exitFailed, says: "directory",
		args: []string{"speak", "--relay", r.url, "--room", "folder", "--name", "ada", t.TempDir()}}.check)
	t.Run("none", refusal{code: exitUsage, says: "no such file",
		args: []string{"speak", "--relay", r.url, "--room", "none", "--name", "ada", filepath.Join(t.TempDir(), "x.opus")}}.check)
}

// TestCutFileIsHeardAsFarAsItGoes: half a recording is better than none, and the
// exit code tells that it was half.
func TestCutFileIsHeardAsFarAsItGoes(t *testing.T) {
	t.Parallel()
	r := startRelay(t, "--open")
	whole := opusFile(t, packetsOf(t, sample.Voice)[:110])
	cut := whole[:len(whole)-7]
	l := startListener(t, r, "town", "out.opus", "--speaker", "ada")
	follow(t, l.stats, "it listens", func(s stats) bool { return *s.Relay != "" })
	c := speak(t, r, "town", "ada", writeFile(t, "cut.opus", cut))
	c.line(c.stderr, "damaged and will end early")
	if code := c.wait(); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	// Pages of half a second: the last whole one ends with packet 99.
	follow(t, l.stats, "the last whole page", heard(99))
	tr := l.stop().flawless(t, "ada")
	(&town{packets: packetsOf(t, sample.Voice)}).same(t, l.out, tr)
}

func TestNobodyReachable(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "voice.opus", sample.Voice)
	const nobody = "https://127.0.0.1:1"
	for _, tt := range []refusal{
		{name: "speak", args: []string{"speak", "--relay", nobody, "--connect-timeout", "1s", "--room", "town", "--name", "ada", file}},
		{name: "listen", args: []string{"listen", "--relay", nobody, "--connect-timeout", "1s", "--room", "town", "--out", filepath.Join(t.TempDir(), "x.wav")}},
	} {
		tt.code, tt.says = exitUnreachable, "not reachable"
		t.Run(tt.name, tt.check)
	}
}

func TestWrongCertificate(t *testing.T) {
	t.Parallel()
	r := startRelay(t, "--open")
	file := writeFile(t, "voice.opus", sample.Voice)
	const wrong = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	for _, transport := range []string{"--quic", "--webtransport"} {
		t.Run(transport, refusal{code: exitNotAllowed, says: "certificate not trusted",
			args: []string{"speak", "--relay", r.url, transport, "--certificate-sha256", wrong, "--room", "town", "--name", "ada", file}}.check)
	}
}
