// A search that works on files: browsers start no worker there, so its script runs in a hidden frame instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.answer = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      frame.srcdoc =
        "<script>self.postMessage = (data) => frameElement.answer(data)</script>" + `<script src="${url}"></script>`;
      this.started = new Promise((resolve) => frame.addEventListener("load", () => resolve(frame.contentWindow)));
      document.body.appendChild(frame);
    }

    postMessage(data) {
      this.started.then((inner) => inner.dispatchEvent(new inner.MessageEvent("message", { data })));
    }
  };
}
