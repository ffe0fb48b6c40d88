package membership

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-msgpack/v2/codec"
	"github.com/hashicorp/memberlist"

	"github.com/stentor-audio/stentor/membership/memnet"
)

// keys gives a relay other keys than the fleet's.
func withKeys(keys ...Key) func(*Config) { return func(c *Config) { c.Keys = keys } }

// TestAStrangerStaysOutside: who has not the key learns nothing and is no relay.
func TestAStrangerStaysOutside(t *testing.T) {
	tests := []struct {
		name string
		keys []Key
	}{
		{"without a key", nil},
		{"with another network's key", []Key{keyB}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t)
				a, b := f.start("a"), f.start("b")
				a.sees(t, "a", "b")
				b.sees(t, "a", "b")
				seen := a.record()
				x := f.start("x", withKeys(tt.keys...))
				time.Sleep(10 * time.Minute)
				a.sees(t, "a", "b")
				b.sees(t, "a", "b")
				x.sees(t, "x")
				for _, r := range seen.stop() {
					t.Errorf("a saw %s", r.Name)
				}
			})
		})
	}
}

// TestAKeyIsChangedWithoutAGap, in the three rounds that LoadKeys describes;
// relays of one round and of the next understand each other.
func TestAKeyIsChangedWithoutAGap(t *testing.T) {
	rounds := [][]Key{{keyA}, {keyA, keyB}, {keyB, keyA}, {keyB}}
	for i := range rounds[1:] {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t)
			a := f.start("a", withKeys(rounds[i]...))
			b := f.start("b", withKeys(rounds[i+1]...))
			a.sees(t, "a", "b")
			b.sees(t, "a", "b")
			a.SetState(Draining)
			if err := b.eventually("a drains", func(relays []Relay) bool {
				r, _ := Find(relays, "a")
				return r.State == Draining
			}); err != nil {
				t.Error(err)
			}
		})
	}
}

// A liar is a member with the key that describes itself as it likes.
type liar struct {
	memberlist.Delegate
	meta []byte
}

func (l liar) NodeMeta(int) []byte           { return l.meta }
func (liar) NotifyMsg([]byte)                {}
func (liar) GetBroadcasts(_, _ int) [][]byte { return nil }
func (liar) LocalState(bool) []byte          { return nil }
func (liar) MergeRemoteState([]byte, bool)   {}

// lie starts a member that says meta of itself and joins a relay.
func (f *fleet) lie(t *testing.T, name string, meta []byte, at *member) *memberlist.Memberlist {
	t.Helper()
	c := tuned()
	c.Name = name
	c.AdvertiseAddr, c.AdvertisePort = "10.9.9.9", 7946
	c.Transport = f.net.Listen()
	c.Keyring, _ = keyring(f.keys)
	c.Delegate = liar{meta: meta}
	c.LogOutput = &bytes.Buffer{}
	l, err := memberlist.Create(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = l.Shutdown()
		time.Sleep(time.Minute) // it waits for nobody
	})
	_, _ = l.Join([]string{at.Addr().String()})
	return l
}

func TestDescriptionsThatCannotBeUsed(t *testing.T) {
	good, err := Encode(relayA())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		member string
		meta   []byte
		in     bool
	}{
		{"a good one", "relay-a/1", good, true},
		{"none", "relay-a/1", nil, false},
		{"text", "relay-a/1", []byte("hello, I am a relay"), false},
		{"zeros", "relay-a/1", make([]byte, MaxEncoded), false},
		{"cut short", "relay-a/1", good[:len(good)-1], false},
		{"another's name", "relay-b/1", good, false},
		{"an empty name", "", good, false},
		{"only a slash", "/", good, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t)
				a := f.start("a")
				f.start("b")
				a.sees(t, "a", "b")
				f.lie(t, tt.member, tt.meta, a)
				time.Sleep(time.Minute)
				want := []string{"a", "b"}
				if tt.in {
					want = append(want, "relay-a")
				}
				for _, m := range f.all {
					if got := m.names(); !slices.Equal(got, want) {
						t.Errorf("%s knows %v, want %v", m.cfg.Self.Name, got, want)
					}
				}
			})
		})
	}
}

// alive is memberlist's message of that name, as it goes over the wire.
type alive struct {
	Incarnation uint32
	Node        string
	Addr        []byte
	Port        uint16
	Meta        []byte
	Vsn         []uint8
}

// TestALongDescriptionIsRefused: memberlist itself looks at the length only of
// what it sends.
func TestALongDescriptionIsRefused(t *testing.T) {
	good, err := Encode(relayA())
	if err != nil {
		t.Fatal(err)
	}
	const aliveMsg = 4
	tests := []struct {
		name   string
		length int
		in     bool
	}{
		{"512 bytes", MaxEncoded, true},
		{"513 bytes", MaxEncoded + 1, false},
		{"60 KB", 60_000, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t)
				f.keys = nil // so that a test can write a packet
				a := f.start("a")
				meta := append(bytes.Clone(good), make([]byte, tt.length-len(good))...)
				from := f.net.Listen()
				at := from.Addr()
				packet := bytes.NewBuffer([]byte{aliveMsg})
				err := codec.NewEncoder(packet, &codec.MsgpackHandle{}).Encode(alive{
					1, "relay-a/1", at.Addr().AsSlice(), at.Port(), meta, []uint8{1, 5, 2, 0, 0, 0},
				})
				if err != nil {
					t.Fatal(err)
				}
				labelled, err := memberlist.AddLabelHeaderToPacket(packet.Bytes(), tuned().Label)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := from.WriteTo(labelled, a.Addr().String()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				if _, in := Find(a.Snapshot(), "relay-a"); in != tt.in {
					t.Errorf("it is a relay: %v, want %v", in, tt.in)
				}
			})
		})
	}
}

// TestADescriptionThatTurnsBad leaves the last good one.
func TestADescriptionThatTurnsBad(t *testing.T) {
	d := &Directory{cfg: Config{Self: relayA()}, member: "relay-a/1"}
	b := relayA()
	b.Name = "b"
	good, err := Encode(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, meta := range [][]byte{nil, good[:20], append(bytes.Clone(good), make([]byte, MaxEncoded)...)} {
		if err := (events{d}).NotifyAlive(&memberlist.Node{Name: "b/1", Meta: meta}); !errors.Is(err, ErrRelay) {
			t.Errorf("%d bytes: %v, want ErrRelay", len(meta), err)
		}
	}
	if err := (events{d}).NotifyAlive(&memberlist.Node{Name: "b/1", Meta: good}); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

// TestNoise: packets and streams of random bytes disturb nobody, and a log of
// them stays short.
func TestNoise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		a, b := f.start("a"), f.start("b")
		a.sees(t, "a", "b")
		b.sees(t, "a", "b")
		seen := a.record()
		x := f.net.Listen()
		random := rand.NewChaCha8([32]byte{1})
		for i := range 2000 {
			noise := make([]byte, i%1500)
			_, _ = random.Read(noise)
			_, _ = x.WriteTo(noise, a.Addr().String())
			if i%20 == 0 {
				shout(x, a, noise)
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Minute)
		for _, r := range seen.stop() {
			t.Errorf("a saw %s join, change or leave", r.Name)
		}
		a.transport.mu.Lock()
		defer a.transport.mu.Unlock()
		if n := a.transport.inward; n != 0 {
			t.Errorf("%d streams are still open", n)
		}
	})
}

func shout(from *memnet.Endpoint, to *member, noise []byte) {
	conn, err := from.DialTimeout(to.Addr().String(), time.Second)
	if err != nil {
		return
	}
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = conn.Write(noise)
	_ = conn.Close()
}

// TestSilentStreamsAreBounded: somebody opens streams and says nothing.
func TestSilentStreamsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		a, b := f.start("a"), f.start("b")
		a.sees(t, "a", "b")
		x := f.net.Listen()
		for range 10 * maxStreams {
			if conn, err := x.DialTimeout(a.Addr().String(), time.Second); err == nil {
				defer conn.Close()
			}
			a.transport.mu.Lock()
			n := a.transport.inward
			a.transport.mu.Unlock()
			if n > maxStreams {
				t.Fatalf("%d streams, want at most %d", n, maxStreams)
			}
		}
		time.Sleep(time.Minute) // they time out
		f.start("c")
		b.sees(t, "a", "b", "c")
	})
}
