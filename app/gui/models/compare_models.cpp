#include "app/gui/models/compare_models.h"

#include <algorithm>
#include <cmath>

#include "app/gui/models/token_model.h"
#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

// As spreadsheets take it; whole numbers whole.
QString exactNumber(double value) {
    return value == std::floor(value) && std::abs(value) < 9e15 ? QString::number(static_cast<qint64>(value))
                                                                : QString::number(value, 'g', 17);
}

TableCell figureCell(FigureUnit unit, std::optional<double> value) {
    if (!value) return {};
    TableCell cell{.shown = text(figureText(unit, value)), .raw = *value, .exact = exactNumber(*value)};
    if (unit == FigureUnit::Nanoseconds) cell.tip = exactNs(qRound64(*value));
    return cell;
}

TableCell differenceCell(FigureUnit unit, std::optional<double> difference) {
    if (!difference) return {};
    TableCell cell{
        .shown = text(differenceText(unit, difference)), .raw = *difference, .exact = exactNumber(*difference)};
    if (unit == FigureUnit::Nanoseconds) cell.tip = exactNs(qRound64(*difference));
    return cell;
}

TableCell nsDifferenceCell(int64_t ns) {
    return differenceCell(FigureUnit::Nanoseconds, static_cast<double>(ns));
}

TableCell changeCell(std::optional<double> change) {
    if (!change) return {};
    const QString sign = *change < 0 ? QStringLiteral("−") : *change > 0 ? QStringLiteral("+") : QString();
    return {.shown = sign + text(formatPercent(std::abs(*change))), .raw = *change, .exact = exactNumber(*change)};
}

std::optional<double> relative(int64_t before, int64_t after) {
    if (before == 0) return std::nullopt;
    return static_cast<double>(after - before) / static_cast<double>(before);
}

TableCell presenceCell(Presence presence) {
    switch (presence) {
        case Presence::New:
            return {.shown = CompareModel::tr("new"), .raw = CompareModel::tr("new"), .strong = true};
        case Presence::Gone:
            return {.shown = CompareModel::tr("gone"), .raw = CompareModel::tr("gone"), .strong = true};
        case Presence::Both:
            break;
    }
    return {.shown = QString(), .raw = QString()};
}

TableCell rateCell(const std::optional<Work>& work) {
    if (!work || work->bytes <= 0) return {};
    return figureCell(FigureUnit::BytesPerSecond, work->bytesPerSecond());
}

}  // namespace

void CompareModel::show(ComparedPtr compared) {
    beginResetModel();
    m_compared = std::move(compared);
    taken();
    endResetModel();
}

// ---- Categories

void CompareCategoryModel::taken() {
    m_rows.clear();
    if (empty()) return;
    const CategoryTimes &before = comparison().before.summary.categories,
                        &after = comparison().after.summary.categories;
    const auto nsOf = [&](Category category) { return before[category].ns + after[category].ns; };
    for (int i = 0; i < kCategoryCount; ++i)
        if (nsOf(static_cast<Category>(i)) > 0) m_rows.push_back(static_cast<Category>(i));
    std::ranges::stable_sort(m_rows, std::ranges::greater{}, nsOf);
}

int CompareCategoryModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

const std::vector<TableColumn>& CompareCategoryModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Category"), {}, false},
        {tr("Before"), tr("Share of device time in the tooltip")},
        {tr("After"), tr("Share of device time in the tooltip")},
        {tr("Difference"), tr("After minus before")},
    };
    return columns;
}

TableCell CompareCategoryModel::cell(int row, int column) const {
    const Category of = category(row);
    const auto timeCell = [&](const CategoryTimes& times) {
        TableCell cell = durationCell(times[of].ns);
        if (times.totalNs > 0)
            cell.tip =
                tr("%1 of device time, %2")
                    .arg(text(formatPercent(static_cast<double>(times[of].ns) / static_cast<double>(times.totalNs))),
                         exactNs(times[of].ns));
        return cell;
    };
    const CategoryTimes &before = comparison().before.summary.categories,
                        &after = comparison().after.summary.categories;
    switch (column) {
        case 0: {
            TableCell cell = textCell(categoryTitle(of));
            cell.swatch = appTheme().category(of);
            return cell;
        }
        case 1:
            return timeCell(before);
        case 2:
            return timeCell(after);
        default:
            return nsDifferenceCell(after[of].ns - before[of].ns);
    }
}

// ---- Figures

void CompareFigureModel::setPhase(int phase) {
    beginResetModel();
    m_phase = phase;
    taken();
    endResetModel();
}

void CompareFigureModel::taken() {
    m_rows.clear();
    if (empty()) return;
    const std::vector<PhaseDelta>& phases = comparison().phases;
    // Of one run the figures of the run as a whole are the same on both sides.
    const bool ofOneRun = oneTrace();
    const bool ofPhase = m_phase >= 0 && m_phase < static_cast<int>(phases.size());
    for (const FigureDelta& figure : ofPhase ? phases[static_cast<size_t>(m_phase)].figures : comparison().figures)
        if ((figure.before.value_or(0) != 0 || figure.after.value_or(0) != 0) &&
            !(ofOneRun && figure.name.starts_with("run.")))
            m_rows.push_back(&figure);
}

int CompareFigureModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

const std::vector<TableColumn>& CompareFigureModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Figure"), {}, false},
        {tr("Before"), {}},
        {tr("Predicted"), tr("Of the run after, from the run before (what-if)")},
        {tr("After"), {}},
        {tr("Difference"), tr("After minus before")},
        {tr("Change"), tr("Of before")},
        {tr("Verdict"), tr("Where less or more of it is better"), false},
    };
    return columns;
}

// What was predicted of the figure from the run before, of the whole window.
TableCell CompareFigureModel::predictedCell(const FigureDelta& of) const {
    const auto& check = comparison().prediction;
    if (!check || m_phase >= 0 || of.name != check->figure) return {};
    TableCell cell = figureCell(of.unit, std::round(check->predictedNs));
    cell.tip =
        tr("%1, predicted from the run before: %2 off").arg(text(check->title), changeCell(check->error()).shown);
    cell.strong = true;
    return cell;
}

TableCell CompareFigureModel::cell(int row, int column) const {
    const FigureDelta& of = figure(row);
    switch (column) {
        case 0: {
            TableCell cell = textCell(text(of.title));
            cell.tip = text(of.name);
            return cell;
        }
        case 1:
            return figureCell(of.unit, of.before);
        case kPredictedColumn:
            return predictedCell(of);
        case 3:
            return figureCell(of.unit, of.after);
        case 4:
            return differenceCell(of.unit, of.difference());
        case 5:
            return changeCell(of.relativeChange());
        default: {
            const auto improved = of.improved();
            return textCell(improved ? (*improved ? tr("better") : tr("worse")) : QString());
        }
    }
}

// ---- Kernels

int CompareKernelModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() || empty() ? 0 : static_cast<int>(comparison().kernels.size());
}

const std::vector<TableColumn>& CompareKernelModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Kernel"), {}, false},
        {tr("Category"), {}, false},
        {tr("New, gone"), tr("Only the one or the other window has it"), false},
        {tr("Difference"), tr("Of the total time, after minus before")},
        {tr("Before"), tr("Total time in the window")},
        {tr("After"), tr("Total time in the window")},
        {tr("Count before"), {}},
        {tr("Count after"), {}},
        {tr("Average before"), {}},
        {tr("Average after"), {}},
        {tr("Change"), tr("Of the total time before")},
    };
    return columns;
}

TableCell CompareKernelModel::cell(int row, int column) const {
    const KernelDelta& of = kernel(row);
    const auto average = [](const Distribution& times) {
        return times.count > 0 ? durationCell(qRound64(times.avgNs)) : TableCell{};
    };
    switch (column) {
        case 0:
            return textCell(text(of.name));
        case 1: {
            TableCell cell = textCell(categoryTitle(of.category));
            cell.swatch = appTheme().category(of.category);
            return cell;
        }
        case 2:
            return presenceCell(of.presence());
        case 3:
            return nsDifferenceCell(of.differenceNs());
        case 4:
            return durationCell(of.before.totalNs);
        case 5:
            return durationCell(of.after.totalNs);
        case 6:
            return countCell(of.before.count);
        case 7:
            return countCell(of.after.count);
        case 8:
            return average(of.before);
        case 9:
            return average(of.after);
        default:
            return changeCell(relative(of.before.totalNs, of.after.totalNs));
    }
}

// ---- Roles and layers

int CompareRoleModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() || empty() ? 0 : static_cast<int>(comparison().roles.size() + comparison().layers.size());
}

const std::vector<TableColumn>& CompareRoleModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Role or layer"), tr("What operations do in the model, whatever kernel does it"), false},
        {tr("New, gone"), {}, false},
        {tr("Difference"), tr("Of the total time, after minus before")},
        {tr("Before"), {}},
        {tr("After"), {}},
        {tr("Count before"), {}},
        {tr("Count after"), {}},
        {tr("Bandwidth before"), {}},
        {tr("Bandwidth after"), {}},
    };
    return columns;
}

TableCell CompareRoleModel::cell(int row, int column) const {
    const auto index = static_cast<size_t>(row);
    const bool isRole = index < comparison().roles.size();
    const WorkDelta& of = isRole ? comparison().roles[index] : comparison().layers[index - comparison().roles.size()];
    const Work before = of.before.value_or(Work()), after = of.after.value_or(Work());
    switch (column) {
        case 0: {
            TableCell cell = textCell(isRole         ? text(of.name)
                                      : of.layer < 0 ? tr("outside the layers")
                                                     : tr("layer %1").arg(of.layer));
            if (isRole) cell.swatch = appTheme().category(of.category);
            return cell;
        }
        case 1:
            return presenceCell(of.presence());
        case 2:
            return nsDifferenceCell(of.differenceNs());
        case 3:
            return durationCell(before.ns);
        case 4:
            return durationCell(after.ns);
        case 5:
            return countCell(before.count);
        case 6:
            return countCell(after.count);
        case 7:
            return rateCell(of.before);
        default:
            return rateCell(of.after);
    }
}

// ---- Culprits

int CompareCulpritModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() || empty() ? 0 : static_cast<int>(comparison().culprits.size());
}

const std::vector<TableColumn>& CompareCulpritModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Who"), tr("What the host or the device did while the device was idle"), false},
        {tr("New, gone"), tr("Only the one or the other window has it"), false},
        {tr("Difference"), tr("Of the idle time, after minus before")},
        {tr("Idle before"), {}},
        {tr("Idle after"), {}},
        {tr("Gaps before"), {}},
        {tr("Gaps after"), {}},
        {tr("Longest before"), tr("Its largest part of one gap")},
        {tr("Longest after"), tr("Its largest part of one gap")},
    };
    return columns;
}

TableCell CompareCulpritModel::cell(int row, int column) const {
    const CulpritDelta& of = culprit(row);
    const auto with = [](const std::optional<Culprit>& side, auto make) { return side ? make(*side) : TableCell{}; };
    const auto idle = [](const Culprit& side) { return durationCell(side.idleNs); };
    const auto gaps = [](const Culprit& side) { return countCell(side.gapCount); };
    const auto longest = [](const Culprit& side) { return durationCell(side.longestNs); };
    switch (column) {
        case 0:
            return textCell(text(of.name));
        case 1:
            return presenceCell(of.presence());
        case 2:
            return nsDifferenceCell(of.differenceNs());
        case 3:
            return with(of.before, idle);
        case 4:
            return with(of.after, idle);
        case 5:
            return with(of.before, gaps);
        case 6:
            return with(of.after, gaps);
        case 7:
            return with(of.before, longest);
        default:
            return with(of.after, longest);
    }
}

// ---- Tokens

int CompareTokenModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() || empty() ? 0 : static_cast<int>(comparison().tokens.size());
}

const std::vector<TableColumn>& CompareTokenModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Token"), {}, false}, {tr("Text"), {}, false},     {tr("Difference"), tr("After minus before")},
        {tr("Before"), {}},       {tr("After"), {}},           {tr("Idle before"), {}},
        {tr("Idle after"), {}},   {tr("Launches before"), {}}, {tr("Launches after"), {}},
    };
    return columns;
}

TableCell CompareTokenModel::cell(int row, int column) const {
    const TokenDelta& of = token(row);
    const TokenTime& known = of.before ? *of.before : *of.after;
    const auto with = [](const std::optional<TokenTime>& token, auto make) {
        return token ? make(*token) : TableCell{};
    };
    const auto time = [](const TokenTime& token) { return durationCell(token.share.ns); };
    const auto idle = [](const TokenTime& token) { return durationCell(token.share.idleNs); };
    const auto launches = [](const TokenTime& token) { return figureCell(FigureUnit::Count, token.share.launches); };
    switch (column) {
        case 0: {
            const QString name = known.index < 0 ? tr("prefill") : QString::number(known.index);
            return {.shown = name, .raw = known.index, .exact = name};
        }
        case 1:
            return textCell(visibleToken(text(known.text)));
        case 2:
            return of.before && of.after ? nsDifferenceCell(of.differenceNs()) : TableCell{};
        case 3:
            return with(of.before, time);
        case 4:
            return with(of.after, time);
        case 5:
            return with(of.before, idle);
        case 6:
            return with(of.after, idle);
        case 7:
            return with(of.before, launches);
        default:
            return with(of.after, launches);
    }
}

}  // namespace gapscope
