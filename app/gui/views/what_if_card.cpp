#include "app/gui/views/what_if_card.h"

#include <QGridLayout>
#include <QPushButton>
#include <QVBoxLayout>
#include <cmath>

#include "app/gui/plain_tip.h"
#include "app/gui/session/selection_text.h"
#include "core/base/format.h"

namespace gapscope {

namespace {

QString factorText(double factor) {
    return QStringLiteral("%1×").arg(factor, 0, 'f', factor < 10 ? 2 : 1);
}

QString tooltipOf(const Prediction& prediction) {
    QStringList lines{text(prediction.description)};
    for (const BatchForecast& batch : prediction.batches)
        lines.append(text(batchSentence(batch)));
    for (const std::string& assumption : prediction.assumptions)
        lines.append(QStringLiteral("– ") + text(assumption));
    if (prediction.unavailable.empty())
        lines.append(WhatIfCard::tr("Confidence: %1").arg(text(prediction.confidence)));
    else
        lines.append(text(prediction.unavailable));
    return lines.join(QLatin1Char('\n'));
}

}  // namespace

WhatIfCard::WhatIfCard(Analyst& analyst, QWidget* parent)
    : Card(parent),
      m_analyst(analyst),
      m_recorded(new Label(LabelRole::Quiet, {}, this)),
      m_grid(new QGridLayout),
      m_run(new QPushButton(this)) {
    setObjectName(QStringLiteral("whatIfCard"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(10, 8, 10, 8);
    layout->setSpacing(4);
    layout->addWidget(new Label(LabelRole::Heading, tr("What if"), this));
    layout->addWidget(m_recorded);
    m_grid->setHorizontalSpacing(10);
    m_grid->setVerticalSpacing(2);
    m_grid->setColumnStretch(0, 1);
    layout->addLayout(m_grid);
    m_run->setObjectName(QStringLiteral("runRemedyButton"));
    layout->addWidget(m_run);
    connect(m_run, &QPushButton::clicked, this, [this] { Q_EMIT runWanted(m_mode, m_nsPerToken); });
    connect(&m_analyst, &Analyst::reportChanged, this, &WhatIfCard::request);
    hide();
}

void WhatIfCard::showEvent(QShowEvent* event) {
    Card::showEvent(event);
    request();
}

// A growing trace must not cancel the job that is under way, or a slow one would never end.
void WhatIfCard::request() {
    const ReportPtr report = m_analyst.report();
    if (!report || report == m_shown || m_jobs.running()) return;
    if (parentWidget() && !parentWidget()->isVisible()) return;
    m_jobs.start(
        [report](std::stop_token stop) {
            return Answer{report, whatIf(*report->trace, report->prepared->join(), report->window, {}, stop)};
        },
        [this](Answer answer) {
            take(std::move(answer));
            request();
        });
}

void WhatIfCard::take(Answer answer) {
    m_shown = answer.report;
    while (QLayoutItem* item = m_grid->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    const WhatIf& whatIf = answer.whatIf;
    const bool perToken = whatIf.tokenCount > 0;
    const auto time = [](double ns) { return text(formatDuration(std::llround(ns))); };
    // By the times that are shown: medians of tokens, which a stall in one of them does not move.
    const auto factorOf = [&](const Prediction& prediction) {
        const bool byMedian = perToken && prediction.predictedMedianNsPerToken > 0;
        return factorText(byMedian ? whatIf.recordedMedianNsPerToken / prediction.predictedMedianNsPerToken
                                   : prediction.factor);
    };
    int row = 0;
    for (const Prediction& prediction : whatIf.predictions) {
        if (!prediction.unavailable.empty()) continue;
        const QString tip = tooltipOf(prediction);
        auto* title = new ElidedLabel(LabelRole::Body, text(prediction.title), this);
        auto* value = new Label(
            LabelRole::Body,
            time(perToken ? prediction.predictedMedianNsPerToken : static_cast<double>(prediction.predictedNs)), this);
        auto* factor = new Label(LabelRole::Quiet, factorOf(prediction), this);
        title->setDetails(tip);
        for (Label* label : {value, factor}) {
            label->setToolTip(wrappedTip(tip));
            label->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
        }
        m_grid->addWidget(title, row, 0);
        m_grid->addWidget(value, row, 1);
        m_grid->addWidget(factor, row, 2);
        ++row;
    }
    m_recorded->setText(
        perToken
            ? tr("A token takes %1 as recorded; it would take").arg(time(whatIf.recordedMedianNsPerToken))
            : tr("The window takes %1 as recorded; it would take").arg(time(static_cast<double>(whatIf.recordedNs))));
    const Prediction* const best = answer.report->trace->run() && perToken ? whatIf.best() : nullptr;
    m_run->setVisible(best != nullptr);
    if (best) {
        m_mode = text(best->mode);
        m_nsPerToken = best->predictedMedianNsPerToken;
        m_run->setText(tr("Run again as %1: predicted %2").arg(m_mode, factorOf(*best)));
        m_run->setToolTip(wrappedTip(tooltipOf(*best)));
    }
    setVisible(row > 0);
}

}  // namespace gapscope
