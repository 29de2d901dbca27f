// For readers who asked their system for less motion: a GIF stands still until asked.

const less = matchMedia("(prefers-reduced-motion: reduce)");

/** As large as a GIF is ever shown. */
const MAX_FRAME = 600;

/** Replaces the GIF in an element, if there is one, by a button with its first frame. */
export function still(element) {
  const gif = element.querySelector(".gif");
  if (gif === null || !less.matches) return;
  const frame = document.createElement("canvas");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "still";
  gif.replaceWith(button);
  const move = (moving) => {
    button.ariaLabel = `${moving ? "Stop" : "Play"}: ${gif.alt}`;
    button.classList.toggle("moving", moving);
    button.replaceChildren(moving ? gif : frame);
  };
  button.addEventListener("click", () => move(!button.contains(gif)));
  move(false);
  drawFirst(gif.src, frame);
}

function drawFirst(src, frame) {
  // Never in the page, so it never moves: what is drawn is the first frame.
  const picture = new Image();
  picture.addEventListener("load", () => {
    const { naturalWidth: width, naturalHeight: height } = picture;
    // Every pixel of a canvas takes four bytes, also of one that is shown small.
    const scale = Math.min(1, MAX_FRAME / Math.max(width, height));
    frame.width = Math.max(1, width * scale);
    frame.height = Math.max(1, height * scale);
    frame.getContext("2d").drawImage(picture, 0, 0, frame.width, frame.height);
  });
  picture.src = src;
}
