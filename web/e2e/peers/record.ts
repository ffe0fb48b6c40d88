/** Keeps what a page sends to the loudspeaker, whoever plays it. For pages. */

/** What there is so far. */
export interface Recording {
  samples: Float32Array[];
  /** How much of them is not silence, in steps of 20 ms at 48 kHz. */
  readonly sounding: number;
}

const worklet = `registerProcessor("recorder", class extends AudioWorkletProcessor {
  process([input]) {
    if (input[0]) this.port.postMessage(input[0].slice());
    return true;
  }
});`;

/** Starts: from now on a copy of all that is connected to a destination is kept, the first channel of it. */
export function record(): Recording {
  const samples: Float32Array[] = [];
  let loud = 0;
  const connect = AudioNode.prototype.connect as (this: AudioNode, ...args: unknown[]) => unknown;
  AudioNode.prototype.connect = function (this: AudioNode, ...args: unknown[]) {
    if (args[0] instanceof AudioDestinationNode) {
      void recorder(this.context as AudioContext, (part) => {
        samples.push(part);
        if (part.some((value) => Math.abs(value) > 0.01)) loud++;
      }).then((node) => connect.call(this, node));
    }
    return connect.apply(this, args);
  } as typeof AudioNode.prototype.connect;
  return {
    samples,
    get sounding() {
      return Math.floor((loud * 128) / 960);
    },
  };
}

async function recorder(context: AudioContext, keep: (part: Float32Array) => void): Promise<AudioNode> {
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([worklet], { type: "text/javascript" })));
  const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
  node.port.onmessage = ({ data }: MessageEvent<Float32Array>) => keep(data);
  return node;
}
