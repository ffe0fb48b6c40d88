package playout

import (
	"testing"
	"time"
)

func BenchmarkResamplerMono(b *testing.B)   { benchmarkResampler(b, 1) }
func BenchmarkResamplerStereo(b *testing.B) { benchmarkResampler(b, 2) }

// One op is a block of 20 ms.
func benchmarkResampler(b *testing.B, channels int) {
	r := NewResampler(channels)
	in, out := make([]float32, FrameSamples*channels), make([]float32, FrameSamples*channels)
	b.ReportAllocs()
	for b.Loop() {
		for !r.Ready(FrameSamples, 1.0001) {
			r.Write(in)
		}
		r.Read(out, 1.0001)
	}
}

func BenchmarkLimiter(b *testing.B) {
	l := NewLimiter(2)
	pcm := make([]float32, 2*FrameSamples)
	b.ReportAllocs()
	for b.Loop() {
		l.Process(pcm)
	}
}

// One op is a frame in and a frame out, with what a caller asks in between.
func BenchmarkBuffer(b *testing.B) {
	buffer := NewBuffer(Config{})
	packet, seq, holes := make([]byte, 120), uint64(0), []uint64(nil)
	b.ReportAllocs()
	for b.Loop() {
		now := time.Duration(seq) * Frame
		buffer.Push(seq, micros(now), packet, now)
		holes = buffer.Holes(now, 40*ms, holes[:0])
		buffer.Pop(now)
		seq++
	}
}

// One op is a block of 20 ms of three speakers, mixed for stereo.
func BenchmarkPlayer(b *testing.B) {
	p := NewPlayer(PlayerConfig{Channels: 2})
	for _, name := range []string{"ada", "ben", "cleo"} {
		if _, err := p.Add(name, &toneDecoder{hertz: 440, height: 0.2, channels: 1}, 1); err != nil {
			b.Fatal(err)
		}
	}
	packet, seq := packetOf(0), uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		now := time.Duration(seq) * Frame
		for _, s := range p.Speakers() {
			s.Buffer().Push(seq, micros(now), packet, now)
		}
		p.Mix(now)
		seq++
	}
}
