/** A page with a `<moq-publish>` in it. */
import "@moq/publish/element";
import type MoqPublish from "@moq/publish/element";

export interface PublishPage {
  /** Sends the microphone as a broadcast, over WebTransport; hash is that of the relay's certificate. */
  publish: (url: string, name: string, hash: string) => void;
  version: () => string | undefined;
}

const publisher = document.querySelector("moq-publish") as MoqPublish;

Object.assign(globalThis, {
  page: {
    publish(url, name, hash) {
      publisher.connection.webtransport = { serverCertificateHashes: [{ value: hash }] };
      publisher.connection.websocket = { enabled: false };
      publisher.invisible = true; // no camera
      publisher.source = "camera";
      publisher.name = name;
      publisher.url = url;
    },
    version: () => publisher.connection.established.peek()?.version,
  } satisfies PublishPage,
});
