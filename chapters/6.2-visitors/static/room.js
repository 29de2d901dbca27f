// A room's page.
"use strict";
{
  const room = document.querySelector("#room").dataset.room;

  // ---- The end of the room ---------------------------------------------------------

  const remove = document.querySelector("#delete");
  remove?.addEventListener("click", async () => {
    if (!confirm("Delete this room, with everything in it?")) return;
    remove.disabled = true;
    const fault = await deleteRoom();
    if (fault === null) location.assign("/");
    document.querySelector("#delete-fault").textContent = fault;
    remove.disabled = false;
  });

  /** What went wrong, or null. */
  async function deleteRoom() {
    try {
      const response = await fetch(`/room/${room}`, { method: "DELETE" });
      return response.ok ? null : (await response.json()).error;
    } catch {
      return "The server cannot be reached. Try again.";
    }
  }
}
