// For readers who asked their system for less motion: a GIF stands still until they want it.

const less = matchMedia("(prefers-reduced-motion: reduce)");

/** Replaces the GIF in a line, if there is one, by its first frame and a button. */
export function still(line) {
  const gif = line.querySelector(".gif");
  if (gif === null || !less.matches) return;
  const button = document.createElement("button");
  button.className = "still";
  button.ariaLabel = `Play: ${gif.alt}`;
  const frame = document.createElement("canvas");
  button.append(frame);
  gif.replaceWith(button);
  button.addEventListener("click", () => button.replaceWith(gif), { once: true });
  // Never in the page, so it never moves: what is drawn is the first frame.
  const picture = new Image();
  picture.addEventListener("load", () => {
    frame.width = picture.naturalWidth;
    frame.height = picture.naturalHeight;
    frame.getContext("2d").drawImage(picture, 0, 0);
  });
  picture.src = gif.src;
}
