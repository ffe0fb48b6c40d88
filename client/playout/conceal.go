package playout

// rampSamples is how long audio takes to come up after silence: 5 ms, enough
// that it does not click and too little to swallow a consonant.
const rampSamples = SampleRate / 200

// A concealer makes a frame of PCM of any slot. Audio that stops fades out over
// a frame of the decoder's guess; audio that begins comes up over 5 ms.
type concealer struct {
	decoder  Decoder
	channels int
	limit    int     // blocks that may be guessed in a row, fading
	gain     float32 // at the end of the last block: 0 after silence, 1 in speech

	failed      int // packets in a row that did not decode
	undecodable uint64
}

// fill writes what slot sounds like into pcm, one frame, of which the caller
// plays the first n samples of each channel.
func (c *concealer) fill(slot Slot, pcm []float32, n int) {
	switch slot.Kind {
	case Play:
		if c.decode(slot.Packet, pcm) {
			c.failed = 0
			c.ramp(pcm, rampSamples, 1)
			return
		}
		c.undecodable++
		c.failed++
		c.guess(pcm, n, fade(c.failed, c.limit))
	case Lost:
		if slot.Next != nil && c.decoder.DecodeFEC(slot.Next, pcm) == nil {
			c.ramp(pcm, rampSamples, 1)
			return
		}
		c.guess(pcm, n, fade(slot.Run, c.limit))
	case Starved:
		c.guess(pcm, n, fade(slot.Run, c.limit))
	default:
		c.guess(pcm, n, 0)
	}
}

// fade is the gain at the end of the run'th guessed block in a row: full for
// the first, none for the last.
func fade(run, limit int) float32 {
	if run >= limit {
		return 0
	}
	return float32(limit-run) / float32(max(limit-1, 1))
}

func (c *concealer) decode(packet []byte, pcm []float32) bool {
	n, err := c.decoder.Decode(packet, pcm)
	if err != nil || n <= 0 {
		return false
	}
	clear(pcm[min(n*c.channels, len(pcm)):])
	return true
}

// guess lets the decoder go on by itself while its gain falls to end over n
// samples. Once that is nothing, the decoder is not asked.
func (c *concealer) guess(pcm []float32, n int, end float32) {
	end = min(end, c.gain)
	if c.gain == 0 || c.decoder.Conceal(pcm) != nil {
		clear(pcm)
		c.gain = 0
		return
	}
	c.ramp(pcm, n, end)
}

// ramp takes the gain of pcm from where it is to end over n samples.
func (c *concealer) ramp(pcm []float32, n int, end float32) {
	if c.gain == end && end == 1 {
		return
	}
	step := (end - c.gain) / float32(n)
	for i := range len(pcm) / c.channels {
		g := end
		if i < n {
			g = c.gain + step*float32(i+1)
		}
		for ch := range c.channels {
			pcm[i*c.channels+ch] *= g
		}
	}
	c.gain = end
}
