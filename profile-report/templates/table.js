// What can be done with the table of figures beside sorting: another unit, and copying it. A
// heading's data-kind says what its values are, data-key is their name in CSV.
(() => {
  for (const tools of document.querySelectorAll(".tools, .key")) tools.hidden = false;
  const table = document.querySelector("table");
  if (!table) return;
  const headings = [...table.tHead.rows[0].cells];
  const rows = () => [...table.tBodies[0].rows].filter((row) => row.cells.length === headings.length);
  const column = (heading) => rows().map((row) => row.cells[headings.indexOf(heading)]);

  // ---- units ----
  /** Writes a column's values anew, decimal points under each other. */
  const rewriteColumn = (heading, show) => {
    const keepZero = "zero" in heading.dataset;
    const cells = column(heading);
    const texts = cells.map((cell) => {
      const value = exact(cell);
      if (value === "") return cell.textContent.trim();
      return Number(value) === 0 && !keepZero ? "" : show(Number(value));
    });
    const tail = (text) => (text.includes(".") ? text.length - text.indexOf(".") : 0);
    const most = Math.max(0, ...texts.map(tail));
    cells.forEach((cell, i) => (cell.textContent = texts[i] && texts[i] + " ".repeat(most - tail(texts[i]))));
  };
  const unitChoice = document.getElementById("unit");
  unitChoice.addEventListener("change", () => {
    unit = { size: Number(unitChoice.value), name: unitChoice.selectedOptions[0].text };
    for (const heading of headings) {
      const show = { size, change }[heading.dataset.kind];
      if (!show) continue;
      rewriteColumn(heading, show);
      heading.querySelector(".unit").textContent = unit.name;
    }
    for (const figure of document.querySelectorAll("b[data-size]")) {
      const bytes = Number(figure.dataset.size);
      figure.textContent = `${figure.dataset.signed ? change(bytes) : size(bytes)} ${unit.name}`;
    }
    document.dispatchEvent(new Event("unit")); // The chart draws itself anew.
  });

  // ---- copying ----
  const copied = headings.filter((heading) => heading.dataset.key);
  const isText = (heading) => heading.dataset.kind === "text";
  const asCsv = () => {
    const quote = (text) => `"${text.replaceAll('"', '""')}"`;
    const columns = copied.map((heading) => [
      heading.dataset.key,
      ...column(heading).map((cell) => (isText(heading) ? quote(cell.dataset.v ?? cell.textContent) : exact(cell))),
    ]);
    return columns[0].map((_, i) => columns.map((cells) => cells[i]).join(",")).join("\n") + "\n";
  };
  const asText = () => {
    const columns = copied.map((heading) => {
      const texts = [heading.textContent, ...column(heading).map((cell) => (isText(heading) && cell.dataset.v) || cell.textContent)];
      const widest = Math.max(...texts.map((text) => text.length));
      return texts.map((text) => (isText(heading) ? text.padEnd(widest) : text.padStart(widest)));
    });
    return columns[0].map((_, i) => columns.map((cells) => cells[i]).join("  ").trimEnd()).join("\n") + "\n";
  };
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Older browsers give no clipboard to pages that were opened from a file.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  for (const button of document.querySelectorAll("[data-copy]")) {
    const label = button.textContent;
    button.addEventListener("click", async () => {
      await copy(button.dataset.copy === "csv" ? asCsv() : asText());
      button.textContent = "copied";
      setTimeout(() => (button.textContent = label), 1200);
    });
  }
})();
