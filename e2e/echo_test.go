package e2e

import (
	"encoding/binary"
	"io"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stentor-audio/stentor/client/audio/sample"
)

// A speaker whose microphone hears what the loudspeaker plays of the room is warned,
// made quieter, and told when it is over. Both are pipes: what comes out goes in
// again, late and less loud.
func TestSpeakerIsWarnedOfAnEcho(t *testing.T) {
	t.Parallel()
	r := startRelay(t, "--open")
	voice := writeFile(t, "voice.opus", sample.Voice)
	start(t, "speak", "--relay", r.url, "--room", "town", "--name", "bob", "--loop", voice)

	var in io.WriteCloser
	var out io.ReadCloser
	ada := spawnPiped(t, func(cmd *exec.Cmd) {
		var err error
		if in, err = cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		if out, err = cmd.StdoutPipe(); err != nil {
			t.Fatal(err)
		}
	}, "speak", "--relay", r.url, "--room", "town", "--name", "ada", "--listen", "--out", "-", "--duck", "-")
	var open atomic.Bool
	open.Store(true)
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer func() { _ = in.Close() }()
		loop(in, out, &open)
	}()
	warning := ada.line(ada.stderr, "ECHO: ")
	for _, words := range []string{"your microphone hears the room", "Wear headphones", "20 dB quieter"} {
		if !strings.Contains(warning, words) {
			t.Errorf("%q says nothing of %q", warning, words)
		}
	}
	open.Store(false)
	ada.line(ada.stderr, "the echo is gone")
	ada.end()
	<-over
}

// loop is a loudspeaker and a microphone 300 ms from it, half as loud, as long as
// open says so; then the microphone hears nothing. Samples are s16le.
func loop(in io.Writer, out io.Reader, open *atomic.Bool) {
	const block = 2 * 960
	var late [15][block]byte
	for n := 0; ; n++ {
		now := &late[n%len(late)] // what was played 300 ms ago
		heard := make([]byte, block)
		for i := 0; i < block && open.Load(); i += 2 {
			binary.LittleEndian.PutUint16(heard[i:], uint16(int16(binary.LittleEndian.Uint16(now[i:]))/2))
		}
		if _, err := io.ReadFull(out, now[:]); err != nil {
			return
		}
		if _, err := in.Write(heard); err != nil {
			return
		}
	}
}
