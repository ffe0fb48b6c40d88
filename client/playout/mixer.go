package playout

// A Mixer sums blocks of PCM and keeps the sum from clipping.
type Mixer struct {
	channels int
	sum      []float32
	limiter  *Limiter
}

// NewMixer returns a mixer of blocks of samples in each of 1 or 2 channels.
func NewMixer(channels, samples int) *Mixer {
	return &Mixer{
		channels: channels,
		sum:      make([]float32, channels*samples),
		limiter:  NewLimiter(channels),
	}
}

// Begin starts a new block with silence.
func (m *Mixer) Begin() { clear(m.sum) }

// Add adds a block of 1 or 2 interleaved channels. One channel goes to both
// sides of a stereo mix; two are averaged for a mono one.
func (m *Mixer) Add(pcm []float32, channels int) {
	switch {
	case channels == m.channels:
		for i, v := range pcm[:min(len(pcm), len(m.sum))] {
			m.sum[i] += v
		}
	case m.channels == 2:
		for i, v := range pcm[:min(len(pcm), len(m.sum)/2)] {
			m.sum[2*i] += v
			m.sum[2*i+1] += v
		}
	default:
		for i := range min(len(pcm)/2, len(m.sum)) {
			m.sum[i] += (pcm[2*i] + pcm[2*i+1]) / 2
		}
	}
}

// End limits the block and returns it; it is good until Begin. It is the sum
// of 5 ms before, as the limiter looks that far ahead.
func (m *Mixer) End() []float32 {
	m.limiter.Process(m.sum)
	return m.sum
}
