import { WebSocket as WsSocket } from "ws";

/** A real WebSocket that behaves as a browser's: an attempt that is called off is nobody's error. */
export class NodeSocket extends WsSocket {
  constructor(url: string, subprotocol: string) {
    super(url, subprotocol);
    this.on("error", () => undefined);
  }
}
