//! What the pictures share: frame, colours and text.

/// Colours for both of the reader's settings. Without variables: programs that do not know them would draw all in black.
const STYLE: &str = "
text { font: 13px system-ui, 'Segoe UI', 'Liberation Sans', 'DejaVu Sans', sans-serif; fill: #1f2430;
  paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round; }
text.title { font-size: 19px; font-weight: 650; } text.panel { font-size: 14px; font-weight: 600; }
text.faint { fill: #667085; font-size: 12px; } .end { text-anchor: end; } .middle { text-anchor: middle; }
.paper { fill: #ffffff; } .line { stroke: #e4e7ec; } .goal { stroke: #1f2430; stroke-width: 1.5; }
.met, .d0 { fill: #0f9d8a; } .missed, .d1 { fill: #e0632d; } .d2 { fill: #4f6bed; } .plain, .d3 { fill: #98a2b3; }
polyline { fill: none; stroke-width: 2; } polyline.c0 { stroke-width: 3; }
.c0 { stroke: #0f9d8a; } .c1 { stroke: #e0632d; } .c2 { stroke: #4f6bed; } .c3 { stroke: #98a2b3; }
@media (prefers-color-scheme: dark) {
text { fill: #e8eaf0; stroke: #14171f; } text.faint { fill: #98a2b3; } .paper { fill: #14171f; } .line { stroke: #2b303c; }
.goal { stroke: #e8eaf0; }
.met, .d0 { fill: #2ec4b0; } .missed, .d1 { fill: #ff8a57; } .d2 { fill: #8da2ff; } .plain, .d3 { fill: #667085; }
.c0 { stroke: #2ec4b0; } .c1 { stroke: #ff8a57; } .c2 { stroke: #8da2ff; } .c3 { stroke: #667085; }
}
";

/// A picture of this size, in pixels, with a title above the drawing, which is SVG. The title ends 34 pixels from the top.
pub(crate) fn framed(title: &str, (width, height): (f64, f64), drawing: &str) -> String {
    let title = escaped(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\">\n<title>{title}</title>\n<style>{STYLE}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\" \
         rx=\"10\"/>\n<text class=\"title\" x=\"24\" y=\"34\">{title}</text>\n{drawing}</svg>\n"
    )
}

/// The text with what SVG gives a meaning to written out.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
