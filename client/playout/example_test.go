package playout_test

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/stentor-audio/stentor/client/playout"
)

// A numberDecoder stands for an Opus decoder here.
type numberDecoder struct{}

func (numberDecoder) Decode(packet []byte, pcm []float32) (int, error) {
	for i := range pcm {
		pcm[i] = 0.01 * float32(binary.BigEndian.Uint16(packet))
	}
	return playout.FrameSamples, nil
}

func (numberDecoder) Conceal(pcm []float32) error             { return nil }
func (numberDecoder) DecodeFEC(_ []byte, pcm []float32) error { return nil }

// The caller's loop: what the network brings goes into a speaker's buffer, what
// is missing there is fetched, and the sound card takes a block every 20 ms.
// Here both happen in one loop of simulated time, and frame 7 gets lost.
func Example() {
	const roundTrip = 40 * time.Millisecond

	player := playout.NewPlayer(playout.PlayerConfig{
		Buffer: playout.Config{MinDelay: 120 * time.Millisecond},
	})
	ada, err := player.Add("ada", numberDecoder{}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	buffer := ada.Buffer()
	packet := func(sequence uint64) []byte {
		return binary.BigEndian.AppendUint16(nil, uint16(sequence))
	}
	timestamp := func(sequence uint64) uint64 { return sequence * 20_000 } // µs

	var holes []uint64
	var fetched uint64
	var arrives time.Duration // what was fetched
	for sequence := range uint64(30) {
		now := time.Duration(sequence) * playout.Frame

		// From the network.
		if sequence != 7 {
			buffer.Push(sequence, timestamp(sequence), packet(sequence), now)
		}
		if fetched > 0 && now >= arrives {
			buffer.PushRepaired(fetched, timestamp(fetched), packet(fetched), now)
			fetched = 0
		}

		// To the network.
		for _, hole := range buffer.Holes(now, roundTrip, holes[:0]) {
			fmt.Printf("%v: fetch %d\n", now, hole)
			fetched, arrives = hole, now+roundTrip
		}

		// To the sound card.
		block := player.Mix(now)
		if sequence%10 == 9 {
			fmt.Printf("%v: %d samples, peak %.1f dBFS\n", now, len(block), player.Level().Peak)
		}
	}
	s := buffer.Stats()
	fmt.Printf("played %d of %d, %d repaired, %d lost\n", s.Played, s.Expected, s.Repaired, s.Lost)
	// Output:
	// 180ms: fetch 7
	// 180ms: 960 samples, peak -34.0 dBFS
	// 380ms: 960 samples, peak -18.4 dBFS
	// 580ms: 960 samples, peak -13.2 dBFS
	// played 23 of 23, 1 repaired, 0 lost
}

// A listener that writes a file wants the packets, not the sound: in order, and
// at once.
func ExampleSequencer() {
	s := playout.NewSequencer(playout.Config{MinDelay: 200 * time.Millisecond})
	write := func(now time.Duration) {
		for slot, ok := s.Next(now); ok; slot, ok = s.Next(now) {
			fmt.Printf("%v: %v %d %q\n", now, slot.Kind, slot.Sequence, slot.Packet)
		}
	}
	s.Push(1, 20_000, []byte("one"), 0)
	s.Push(3, 60_000, []byte("three"), 40*time.Millisecond)
	write(40 * time.Millisecond)
	s.Push(4, 80_000, []byte("four"), 60*time.Millisecond)
	write(60 * time.Millisecond)
	s.Push(2, 40_000, []byte("two"), 80*time.Millisecond)
	write(80 * time.Millisecond)
	// Output:
	// 40ms: play 1 "one"
	// 80ms: play 2 "two"
	// 80ms: play 3 "three"
	// 80ms: play 4 "four"
}
