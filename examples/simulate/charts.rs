//! Charts in SVG: curves with axes and a legend.

use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use crate::Result;

const SIZE: (u32, u32) = (800, 500);
const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(40, 44, 52);
const GRID: RGBColor = RGBColor(224, 226, 230);
/// From light to dark, so that an order can be seen without colours.
const COLOURS: [RGBColor; 4] =
    [RGBColor(86, 180, 233), RGBColor(230, 140, 0), RGBColor(0, 134, 96), RGBColor(70, 60, 140)];

/// Points with a name.
pub struct Curve {
    name: String,
    points: Vec<(f64, f64)>,
    has_dots: bool,
}

impl Curve {
    pub fn line(name: &str, points: Vec<(f64, f64)>) -> Self {
        Curve { name: name.to_string(), points, has_dots: false }
    }

    /// A line with a dot at each point.
    pub fn dotted(name: &str, points: Vec<(f64, f64)>) -> Self {
        Curve { has_dots: true, ..Curve::line(name, points) }
    }
}

/// The horizontal axis, with what it shows.
#[derive(Clone, Copy)]
pub enum Scale {
    Linear(&'static str),
    Logarithmic(&'static str),
}

pub struct Chart {
    title: &'static str,
    scale: Scale,
    unit: &'static str,
    /// What the names of the curves are.
    names: &'static str,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

impl Chart {
    pub fn new(title: &'static str, scale: Scale, unit: &'static str) -> Self {
        Chart { title, scale, unit, names: "" }
    }

    /// Adds a word to the names of the curves.
    pub fn legend(self, names: &'static str) -> Self {
        Chart { names, ..self }
    }

    pub fn draw(&self, file: &Path, curves: &[Curve]) -> Result<()> {
        let area = SVGBackend::new(file, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let all = || curves.iter().flat_map(|curve| &curve.points);
        let right = all().map(|(x, _)| *x).fold(0.0, f64::max);
        let left = all().map(|(x, _)| *x).fold(right, f64::min);
        let top = 1.15 * all().map(|(_, y)| *y).fold(0.0, f64::max);
        match self.scale {
            Scale::Linear(_) => {
                self.draw_on(&area, 0.0..right * 1.02, top.min(104.0).max(top / 1.1), curves)?
            }
            Scale::Logarithmic(_) => {
                self.draw_on(&area, (left * 0.9..right * 1.1).log_scale(), top, curves)?;
            }
        }
        area.present()?;
        println!("{}", file.display());
        Ok(())
    }

    fn draw_on<X>(&self, area: &Area<'_>, x: X, top: f64, curves: &[Curve]) -> Result<()>
    where
        X: AsRangedCoord<Value = f64>,
        X::CoordDescType: ValueFormatter<f64>,
    {
        let (Scale::Linear(what) | Scale::Logarithmic(what)) = self.scale;
        let text = |size: u32| (FONT, size).into_font().color(&INK);
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, text(22))
            .margin(18)
            .x_label_area_size(52)
            .y_label_area_size(70)
            .build_cartesian_2d(x, 0.0..top)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(INK)
            .label_style(text(15))
            .axis_desc_style(text(16))
            .x_desc(what)
            .y_desc(self.unit)
            .x_label_formatter(&|x| thousands(*x))
            .y_label_formatter(&|y| thousands(*y))
            .draw()?;
        for (curve, colour) in curves.iter().zip(COLOURS.into_iter().cycle()) {
            let style = colour.stroke_width(3);
            let name = format!("{} {}", thousands_in(&curve.name), self.names);
            chart
                .draw_series(LineSeries::new(curve.points.clone(), style))?
                .label(name.trim())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], style));
            if curve.has_dots {
                let dot = |at: &(f64, f64)| Circle::new(*at, 5, colour.filled());
                chart.draw_series(curve.points.iter().map(dot))?;
            }
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .background_style(WHITE)
            .border_style(GRID)
            .label_font(text(15))
            .margin(12)
            .legend_area_size(30)
            .draw()?;
        Ok(())
    }
}

/// Writes a number with a comma before each three digits.
fn thousands(number: f64) -> String {
    let digits = if number.fract().abs() < 1e-9 { 0 } else { 1 };
    let text = format!("{number:.digits$}");
    thousands_in(&text)
}

fn thousands_in(text: &str) -> String {
    let whole = text.split('.').next().unwrap_or_default();
    if whole.is_empty() || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_string();
    }
    let rest = &text[whole.len()..];
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}
