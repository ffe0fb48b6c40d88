//go:build cgo

package device

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gen2brain/malgo"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// nobody is miniaudio's backend that plays to nobody and records silence, at the
// pace of a real card. malgo.BackendNull is one short of it in v0.11.24, which
// leaves out the backend before it.
var nobody = []uint32{14}

func TestMicrophone(t *testing.T) {
	for channels := 1; channels <= 2; channels++ {
		m, err := OpenMicrophone(Config{Channels: channels, backends: nobody})
		if err != nil {
			t.Fatal(err)
		}
		if m.Channels() != channels {
			t.Errorf("%d channels, want %d", m.Channels(), channels)
		}
		frame := make([]float32, 960*channels+channels-1) // not always whole frames
		for got := 0; got < 5*960*channels; {
			frame[0] = 1
			n, err := m.Read(frame)
			if err != nil || n == 0 || n%channels != 0 || frame[0] != 0 {
				t.Fatalf("%d samples, %v", n, err)
			}
			got += n
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		for range 1000 { // what was recorded before may still come
			if _, err = m.Read(frame); err != nil {
				break
			}
		}
		if !errors.Is(err, ErrClosed) {
			t.Errorf("Read after Close: %v", err)
		}
		if err := m.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
	}
}

func TestCloseEndsARead(t *testing.T) {
	m, err := OpenMicrophone(Config{backends: nobody})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		frame := make([]float32, 960)
		for {
			if _, err := m.Read(frame); err != nil {
				ended <- err
				return
			}
		}
	}()
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestMicrophoneNobodyReads(t *testing.T) {
	m, err := OpenMicrophone(Config{Buffer: 20 * time.Millisecond, backends: nobody})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for m.Lost() == 0 {
		<-m.ring.changed // the card brought something
	}
	if held, _ := m.ring.state(); held != 960 {
		t.Errorf("%d samples are held, want the newest 960", held)
	}
}

func TestLoudspeaker(t *testing.T) {
	for channels := 1; channels <= 2; channels++ {
		l, err := OpenLoudspeaker(Config{Channels: channels, backends: nobody})
		if err != nil {
			t.Fatal(err)
		}
		if l.Underruns() != 0 {
			t.Error("underruns before anything was written")
		}
		frame := make([]float32, 960*channels)
		for range 10 {
			if err := l.Write(frame); err != nil {
				t.Fatal(err)
			}
		}
		if b := l.Buffered(); b <= 0 || b > 90*time.Millisecond {
			t.Errorf("%v are buffered, want 90ms at most", b)
		}
		if channels == 2 {
			if err := l.Write(frame[:3]); err == nil {
				t.Error("three samples for two channels")
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if err := l.Write(frame); !errors.Is(err, ErrClosed) {
			t.Errorf("Write after Close: %v", err)
		}
		if err := l.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
	}
}

// What the card needs and does not get is silence, and counted once the program
// has begun to play.
func TestUnderruns(t *testing.T) {
	l := &Loudspeaker{cfg: Config{Channels: 1}, ring: newRing(2000)}
	room := make([]float32, 480)
	play := func(sound int, underruns uint64) {
		t.Helper()
		for i := range room {
			room[i] = 7 // what was in the card's buffer before
		}
		l.play(room)
		for i, x := range room {
			if i < sound && x != 1 || i >= sound && x != 0 {
				t.Fatalf("sample %d is %v", i, x)
			}
		}
		if l.Underruns() != underruns {
			t.Errorf("%d underruns, want %d", l.Underruns(), underruns)
		}
	}
	play(0, 0)
	sound := make([]float32, 700)
	for i := range sound {
		sound[i] = 1
	}
	if err := l.Write(sound); err != nil {
		t.Fatal(err)
	}
	play(480, 0)
	play(220, 1)
	play(0, 2)
}

func TestCloseEndsAWrite(t *testing.T) {
	l, err := OpenLoudspeaker(Config{backends: nobody})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- l.Write(make([]float32, 60*Rate)) }()
	<-l.ring.changed
	l.ring.signal()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// A device that stops by itself, unplugged, say, ends reads and writes.
func TestDeviceGone(t *testing.T) {
	m, err := OpenMicrophone(Config{backends: nobody})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.card.device.Stop(); err != nil {
		t.Fatal(err)
	}
	frame := make([]float32, 960)
	for err == nil {
		_, err = m.Read(frame)
	}
	if !errors.Is(err, ErrGone) {
		t.Errorf("microphone: %v", err)
	}

	l, err := OpenLoudspeaker(Config{backends: nobody})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.card.device.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := l.Write(make([]float32, Rate)); !errors.Is(err, ErrGone) {
		t.Errorf("loudspeaker: %v", err)
	}
}

func TestConfig(t *testing.T) {
	for _, cfg := range []Config{
		{Channels: 3}, {Channels: -1}, {Buffer: time.Millisecond}, {Buffer: -1}, {Buffer: time.Minute},
	} {
		cfg.backends = nobody
		if _, err := OpenMicrophone(cfg); err == nil {
			t.Errorf("a microphone with %+v opens", cfg)
		}
		if _, err := OpenLoudspeaker(cfg); err == nil {
			t.Errorf("a loudspeaker with %+v opens", cfg)
		}
	}
}

// Without any sound the error says so and what to do; it is not silence.
func TestNoSoundCard(t *testing.T) {
	if cards, _ := filepath.Glob("/dev/snd/pcm*"); len(cards) > 0 {
		t.Skip("there is a sound card")
	}
	t.Setenv("PULSE_SERVER", "unix:"+filepath.Join(t.TempDir(), "none"))
	t.Setenv("PULSE_RUNTIME_PATH", t.TempDir())
	_, err := OpenMicrophone(Config{})
	check(t, err, "microphone: none found", "use a file")
	_, err = OpenLoudspeaker(Config{})
	check(t, err, "loudspeaker: none found", "use a file")
}

func check(t *testing.T, err error, says ...string) {
	t.Helper()
	if !errors.Is(err, ErrNone) {
		t.Fatalf("%v, want ErrNone", err)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q does not say %q", err, s)
		}
	}
}

func TestExplain(t *testing.T) {
	for _, tt := range []struct {
		err  malgo.Result
		says string
	}{
		{malgo.ErrNoDevice, "connect one"},
		{malgo.ErrBusy, "close that one"},
		{malgo.ErrAccessDenied, "audio"},
		{malgo.ErrFailedToOpenBackendDevice, "sound settings"},
	} {
		err := explain(tt.err)
		if !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%v does not say %q", err, tt.says)
		}
	}
}
