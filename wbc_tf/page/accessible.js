// Gradio's line between two pictures answers to the pointer alone, and its pictures have no
// alternative texts. This gives the line the arrow keys, and names to all of them.
(() => {
  const STEP = 0.05; // of the width

  const move = (line, share) => {
    const rail = line.parentElement.getBoundingClientRect();
    const grip = line.getBoundingClientRect();
    const from = grip.left + grip.width / 2;
    const tell = (target, type, clientX) =>
      target.dispatchEvent(
        new MouseEvent(type, { bubbles: true, cancelable: true, view: window, clientX, clientY: rail.top + 5 })
      );
    tell(line, "mousedown", from);
    tell(window, "mousemove", from + share * rail.width);
    tell(window, "mouseup", from + share * rail.width);
  };

  const complete = () => {
    for (const line of document.querySelectorAll('[data-testid="slider"]:not([tabindex])')) {
      line.tabIndex = 0;
      line.setAttribute("role", "separator");
      line.setAttribute("aria-orientation", "vertical");
      line.setAttribute("aria-label", "Line between photo and cartoon; move it with the arrow keys");
      line.addEventListener("keydown", (event) => {
        const share = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
        if (share) {
          event.preventDefault();
          move(line, share);
        }
      });
    }
    for (const slider of document.querySelectorAll("#slider")) {
      slider.querySelectorAll("img").forEach((picture, number) => {
        const text = number ? "the cartoon" : "the photo";
        if (picture.alt !== text) picture.alt = text;
      });
    }
    for (const picture of document.querySelectorAll("#examples img")) {
      const [, name] = picture.src.match(/([^/]+)\.[^./]+$/) || [];
      if (name && picture.alt !== name) picture.alt = name;
    }
  };

  new MutationObserver(complete).observe(document, { childList: true, subtree: true });
})();
